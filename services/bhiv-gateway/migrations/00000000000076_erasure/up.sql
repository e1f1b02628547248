-- Users who were forgotten and may still have sessions, which are not here but in Redis.
CREATE TABLE sessions_to_end (
    user_id text PRIMARY KEY,
    -- Ids of their keys.
    keys    uuid[] NOT NULL,
    since   timestamptz NOT NULL
);
