CREATE TABLE imports (
    id         uuid PRIMARY KEY,
    -- receiving, importing, done; refused (a row is bad, and nothing is imported), aborted (it did not come whole)
    status     text NOT NULL,
    on_error   text NOT NULL,
    actor      text NOT NULL,
    owner      text NOT NULL,
    team       text,
    -- Whether whoever imports sees all records.
    sees_all   boolean NOT NULL,
    rows       integer NOT NULL,
    refused    integer NOT NULL,
    created    integer NOT NULL,
    updated    integer NOT NULL,
    unchanged  integer NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);
CREATE INDEX imports_owner ON imports (owner, id);
CREATE INDEX imports_team ON imports (team, id);
CREATE INDEX imports_under_way ON imports (id) WHERE status = 'importing';

CREATE TABLE import_rows (
    import_id uuid NOT NULL CONSTRAINT import_rows_import REFERENCES imports,
    -- The line of the file, from 1.
    line      integer NOT NULL,
    key       text,
    -- What is to be imported; null when it was, or cannot be.
    data      jsonb,
    -- pending, refused, created, updated, unchanged
    outcome   text NOT NULL,
    faults    jsonb,
    lead_id   uuid,
    PRIMARY KEY (import_id, line)
);
CREATE INDEX import_rows_outcome ON import_rows (import_id, outcome, line);

-- What imports call leads: what comes again is the lead that came before.
CREATE TABLE lead_keys (
    key     text PRIMARY KEY,
    lead_id uuid NOT NULL CONSTRAINT lead_keys_lead REFERENCES leads
);
