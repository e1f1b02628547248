-- Searches that people saved.
CREATE TABLE saved_searches (
    id         uuid PRIMARY KEY,
    owner      text NOT NULL,
    name       text NOT NULL,
    query      jsonb NOT NULL,
    shared     boolean NOT NULL,
    version    bigint NOT NULL,
    created_at timestamptz NOT NULL,
    changed_at timestamptz NOT NULL
);
CREATE UNIQUE INDEX saved_searches_name ON saved_searches (owner, name);
CREATE INDEX saved_searches_shared ON saved_searches (id) WHERE shared;
