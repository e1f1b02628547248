-- Evidence of a period, as it was when it was asked for. What its files say is kept for as long as the settings say, and
-- goes before that when a person of whom it tells is erased; what they were stays.
CREATE TABLE packs (
    id         uuid PRIMARY KEY,
    start_date date NOT NULL,
    end_date   date NOT NULL,
    files      jsonb NOT NULL,
    created_by text NOT NULL,
    created_at timestamptz NOT NULL
);
CREATE INDEX packs_created_at ON packs (created_at);
CREATE TABLE pack_files (
    pack_id uuid NOT NULL REFERENCES packs ON DELETE CASCADE,
    name    text NOT NULL,
    content text NOT NULL,
    PRIMARY KEY (pack_id, name)
);
