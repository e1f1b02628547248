-- Entries in partitions: by kind, so that each can be kept for a time of its own, and by the month of their ids. Ids
-- are UUIDv7, so a month is a range of them, and whoever looks for an id looks into one partition of each kind.
--
-- The version before goes on beside it: it names its columns, and finds the same ones. What it wrote is copied here,
-- under a lock: a system with so many rows that it cannot wait is given its memory anew.
ALTER TABLE entries RENAME TO entries_before;
ALTER INDEX entries_pkey RENAME TO entries_before_pkey;
ALTER INDEX entries_timestamp RENAME TO entries_before_timestamp;
ALTER INDEX entries_story RENAME TO entries_before_story;
ALTER INDEX entries_entity RENAME TO entries_before_entity;
ALTER INDEX entries_event_type RENAME TO entries_before_event_type;
ALTER INDEX entries_user RENAME TO entries_before_user;
ALTER INDEX entries_task RENAME TO entries_before_task;
ALTER INDEX entries_action RENAME TO entries_before_action;

CREATE TABLE entries (
    id             uuid NOT NULL,
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
    data           jsonb NOT NULL,
    -- The words that it is found by; see domain/words.rs.
    search         tsvector,
    PRIMARY KEY (id, kind)
) PARTITION BY LIST (kind);

CREATE TABLE entries_event PARTITION OF entries FOR VALUES IN ('event') PARTITION BY RANGE (id);
CREATE TABLE entries_audit PARTITION OF entries FOR VALUES IN ('audit') PARTITION BY RANGE (id);
-- What belongs to no month that has a partition is kept too, and moves when its month gets one.
CREATE TABLE entries_event_default PARTITION OF entries_event DEFAULT;
CREATE TABLE entries_audit_default PARTITION OF entries_audit DEFAULT;

-- Lists are read along one of these, the newest first.
CREATE INDEX entries_timestamp ON entries (timestamp, id);
CREATE INDEX entries_story ON entries (correlation_id, timestamp, id);
CREATE INDEX entries_entity ON entries (entity, timestamp, id);
CREATE INDEX entries_event_type ON entries (event_type, timestamp, id);
CREATE INDEX entries_source ON entries (source, timestamp, id);
CREATE INDEX entries_user ON entries (user_id, timestamp, id) WHERE user_id IS NOT NULL;
CREATE INDEX entries_task ON entries (task_id, timestamp, id) WHERE task_id IS NOT NULL;
CREATE INDEX entries_action ON entries (action, timestamp, id) WHERE action IS NOT NULL;
CREATE INDEX entries_search ON entries USING gin (search);

-- The version before writes no words: then they are those of everything that the entry says.
CREATE FUNCTION entries_words() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.search := to_tsvector('simple', regexp_replace(
        concat_ws(' ', NEW.event_type, NEW.subject, NEW.action, NEW.data::text), '[^[:alnum:]]+', ' ', 'g'));
    RETURN NEW;
END $$;
CREATE TRIGGER entries_words BEFORE INSERT ON entries
    FOR EACH ROW WHEN (NEW.search IS NULL) EXECUTE FUNCTION entries_words();

-- The lowest id of a time.
CREATE FUNCTION first_id(at timestamptz) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$
    SELECT (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || '00000000000000000000')::uuid
$$;

-- Partitions, so that they can be dropped without looking into them. `until` is the first time that is not in it.
CREATE TABLE partitions (
    name       text PRIMARY KEY,
    kind       text NOT NULL,
    since      timestamptz NOT NULL,
    until      timestamptz NOT NULL,
    from_id    uuid NOT NULL,
    to_id      uuid NOT NULL,
    dropped_at timestamptz,
    UNIQUE (kind, since)
);

-- Makes the partition of the month that `at` is in, unless it was made; what of it is in the default one moves.
CREATE FUNCTION make_partition(of_kind text, at timestamptz) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    begins timestamptz := date_trunc('month', at AT TIME ZONE 'UTC') AT TIME ZONE 'UTC';
    ends timestamptz := (date_trunc('month', at AT TIME ZONE 'UTC') + interval '1 month') AT TIME ZONE 'UTC';
    part text := format('entries_%s_%s', of_kind, to_char(begins AT TIME ZONE 'UTC', 'YYYY_MM'));
BEGIN
    INSERT INTO partitions (name, kind, since, until, from_id, to_id)
        VALUES (part, of_kind, begins, ends, first_id(begins), first_id(ends)) ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    EXECUTE format('LOCK TABLE entries_%s_default IN ACCESS EXCLUSIVE MODE', of_kind);
    EXECUTE format('CREATE TABLE %I (LIKE entries INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', part);
    EXECUTE format('WITH moved AS (DELETE FROM entries_%s_default WHERE id >= %L AND id < %L RETURNING *)
                    INSERT INTO %I SELECT * FROM moved', of_kind, first_id(begins), first_id(ends), part);
    EXECUTE format('ALTER TABLE %I ADD CHECK (kind = %L)', part, of_kind);
    EXECUTE format('ALTER TABLE entries_%s ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
                   of_kind, part, first_id(begins), first_id(ends));
    RETURN true;
END $$;

SELECT make_partition(kind, now() + months * interval '1 month')
FROM unnest(ARRAY['event', 'audit']) AS kind, generate_series(-1, 2) AS months;

INSERT INTO entries SELECT * FROM entries_before;
DROP TABLE entries_before;

-- How long each kind is kept, and whether it may be dropped at all. No row: for ever.
CREATE TABLE retention (
    kind       text PRIMARY KEY,
    days       integer,
    legal_hold boolean NOT NULL DEFAULT false,
    reason     text,
    version    bigint NOT NULL DEFAULT 1,
    changed_at timestamptz NOT NULL DEFAULT now(),
    changed_by text NOT NULL DEFAULT 'service/logging'
);
INSERT INTO retention (kind) VALUES ('event'), ('audit');
