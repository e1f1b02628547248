-- What happened to a delivery on its way.
CREATE TABLE tracking_events (
    id          uuid PRIMARY KEY,
    delivery_id uuid NOT NULL CONSTRAINT tracking_events_delivery REFERENCES deliveries,
    kind        text NOT NULL,
    at          timestamptz NOT NULL,
    place       text,
    location    jsonb,
    note        text,
    actor       text NOT NULL
);
CREATE INDEX tracking_events_delivery_at ON tracking_events (delivery_id, at, id);
INSERT INTO tracking_events (id, delivery_id, kind, at, actor)
    SELECT gen_random_uuid(), id, 'scheduled', created_at, 'service/logistics' FROM deliveries;

-- Pictures that show that a delivery arrived. They are never overwritten.
CREATE TABLE proofs (
    id          uuid PRIMARY KEY,
    delivery_id uuid NOT NULL CONSTRAINT proofs_delivery REFERENCES deliveries,
    kind        text NOT NULL,
    received_by text,
    media_type  text NOT NULL,
    size        integer NOT NULL,
    picture     bytea NOT NULL,
    actor       text NOT NULL,
    created_at  timestamptz NOT NULL
);
CREATE INDEX proofs_delivery ON proofs (delivery_id, created_at, id);
-- Pictures are compressed already.
ALTER TABLE proofs ALTER COLUMN picture SET STORAGE EXTERNAL;
