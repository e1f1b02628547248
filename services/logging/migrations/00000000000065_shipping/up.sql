-- Entries that are to be shipped to Elasticsearch, if that is configured; one replica ships at a time.
CREATE TABLE shipping_waiting (
    entry_id uuid PRIMARY KEY
);
CREATE TABLE shipping_lease (
    name   text PRIMARY KEY,
    holder uuid,
    until  timestamptz NOT NULL
);
INSERT INTO shipping_lease (name, until) VALUES ('elasticsearch', 'epoch');
-- What Elasticsearch will never take, and why.
CREATE TABLE shipping_refused (
    entry_id   uuid PRIMARY KEY,
    reason     text NOT NULL,
    refused_at timestamptz NOT NULL
);
