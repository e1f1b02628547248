-- Every version of every policy: rows are added and never changed.
CREATE TABLE policy_versions (
    policy_id  text NOT NULL,
    version    bigint NOT NULL,
    says       text NOT NULL,
    cedar      text NOT NULL,
    enabled    boolean NOT NULL,
    actor      text NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (policy_id, version)
);
INSERT INTO policy_versions (policy_id, version, says, cedar, enabled, actor, created_at)
SELECT id, version, says, cedar, enabled, 'service/compliance', updated_at FROM policies;

-- The smallest change that would have led to the other verdict.
ALTER TABLE checks ADD COLUMN flip jsonb;

-- Events that were judged, as they were judged, for drafts of policies to be tried on: for as long as the settings say.
CREATE TABLE heard_events (
    event_id uuid PRIMARY KEY,
    -- Its public name.
    name     text NOT NULL,
    event    jsonb NOT NULL,
    -- What was known beside it.
    known    jsonb NOT NULL,
    heard_at timestamptz NOT NULL
);
CREATE INDEX heard_events_heard ON heard_events (heard_at, event_id);
CREATE INDEX heard_events_name ON heard_events (name, heard_at, event_id);
