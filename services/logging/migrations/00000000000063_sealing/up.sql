-- Keys that what tells who somebody is is sealed with: one for each subject, itself sealed with the master key. When a
-- person is erased the key is, and stays away: what comes in later about the subject is not kept readable either.
CREATE TABLE subject_keys (
    id             uuid PRIMARY KEY,
    subject        text NOT NULL UNIQUE,
    -- The story in which the subject was heard of first.
    correlation_id uuid NOT NULL,
    wrapped        bytea,
    created_at     timestamptz NOT NULL,
    erased_at      timestamptz,
    erasure_id     uuid
);
CREATE INDEX subject_keys_story ON subject_keys (correlation_id);
