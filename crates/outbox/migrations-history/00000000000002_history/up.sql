-- What each record was after each of its changes, and who changed it: written in the transaction of the change.
CREATE TABLE history (
    entity         text NOT NULL,
    version        bigint NOT NULL,
    at             timestamptz NOT NULL,
    actor          text NOT NULL,
    action         text NOT NULL,
    request_id     text,
    correlation_id uuid NOT NULL,
    state          jsonb,
    -- What it was before, if no row has that: its earlier changes are older than this table.
    previous       jsonb,
    PRIMARY KEY (entity, version)
);
