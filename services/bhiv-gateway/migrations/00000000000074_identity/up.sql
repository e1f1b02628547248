ALTER TABLE users ADD COLUMN disabled boolean NOT NULL DEFAULT false;

-- Keys of machines. The key itself is random enough that its plain hash tells nothing about it.
CREATE TABLE api_keys (
    id           uuid PRIMARY KEY,
    user_id      uuid NOT NULL CONSTRAINT api_keys_user REFERENCES users,
    name         text NOT NULL,
    hint         text NOT NULL,
    hash         bytea NOT NULL CONSTRAINT api_keys_hash UNIQUE,
    scopes       text[] NOT NULL,
    created_at   timestamptz NOT NULL,
    expires_at   timestamptz,
    revoked_at   timestamptz,
    last_used_at timestamptz
);
CREATE INDEX api_keys_of_user ON api_keys (user_id, id);
