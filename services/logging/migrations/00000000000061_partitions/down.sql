CREATE TABLE entries_before (
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
INSERT INTO entries_before
    SELECT id, kind, event_type, type, source, subject, entity, actor, correlation_id, causation_id, sequence,
           trace_id, task_id, user_id, rl_score, consent_flag, action, timestamp, received_at, data FROM entries
    ON CONFLICT DO NOTHING;
DROP TABLE entries, partitions, retention;
DROP FUNCTION entries_words, first_id, make_partition;
ALTER TABLE entries_before RENAME TO entries;
ALTER INDEX entries_before_pkey RENAME TO entries_pkey;
CREATE INDEX entries_timestamp ON entries (timestamp, id);
CREATE INDEX entries_story ON entries (correlation_id, timestamp, id);
CREATE INDEX entries_entity ON entries (entity, timestamp, id);
CREATE INDEX entries_event_type ON entries (event_type, timestamp, id);
CREATE INDEX entries_user ON entries (user_id, timestamp, id) WHERE user_id IS NOT NULL;
CREATE INDEX entries_task ON entries (task_id, timestamp, id) WHERE task_id IS NOT NULL;
CREATE INDEX entries_action ON entries (action, timestamp, id) WHERE action IS NOT NULL;
