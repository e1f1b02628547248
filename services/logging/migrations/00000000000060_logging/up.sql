-- Everything that was heard: a row is written once and never changed. No other table refers to it.
CREATE TABLE entries (
    id             uuid PRIMARY KEY,
    kind           text NOT NULL,
    event_type     text NOT NULL,
    type           text NOT NULL,
    source         text NOT NULL,
    subject        text NOT NULL,
    entity         text NOT NULL,
    actor          text NOT NULL,
    correlation_id uuid NOT NULL,
    causation_id   uuid,
    sequence       bigint NOT NULL,
    trace_id       text,
    task_id        text,
    user_id        text,
    rl_score       double precision,
    consent_flag   boolean,
    action         text,
    timestamp      timestamptz NOT NULL,
    received_at    timestamptz NOT NULL,
    data           jsonb NOT NULL
);

-- Lists are read along one of these, the newest first; by kind, source or actor alone along the first.
CREATE INDEX entries_timestamp ON entries (timestamp, id);
CREATE INDEX entries_story ON entries (correlation_id, timestamp, id);
CREATE INDEX entries_entity ON entries (entity, timestamp, id);
CREATE INDEX entries_event_type ON entries (event_type, timestamp, id);
CREATE INDEX entries_user ON entries (user_id, timestamp, id) WHERE user_id IS NOT NULL;
CREATE INDEX entries_task ON entries (task_id, timestamp, id) WHERE task_id IS NOT NULL;
CREATE INDEX entries_action ON entries (action, timestamp, id) WHERE action IS NOT NULL;
