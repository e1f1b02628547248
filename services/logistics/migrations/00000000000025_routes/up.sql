CREATE TABLE couriers (
    id             uuid PRIMARY KEY,
    version        bigint NOT NULL,
    correlation_id uuid NOT NULL,
    name           text NOT NULL,
    phone          text,
    capacity       integer NOT NULL CONSTRAINT couriers_capacity CHECK (capacity > 0),
    -- Between which hours, in the time of the place.
    shift          jsonb NOT NULL,
    cost_per_km    numeric NOT NULL CONSTRAINT couriers_cost_per_km CHECK (cost_per_km >= 0),
    cost_per_hour  numeric NOT NULL CONSTRAINT couriers_cost_per_hour CHECK (cost_per_hour >= 0),
    active         boolean NOT NULL,
    created_at     timestamptz NOT NULL,
    updated_at     timestamptz NOT NULL,
    search         tsvector GENERATED ALWAYS AS (to_tsvector('simple', regexp_replace(
        name, '[^[:alnum:]]+', ' ', 'g'))) STORED
);
CREATE INDEX couriers_search ON couriers USING gin (search);
CREATE INDEX couriers_created ON couriers (created_at, id);
CREATE INDEX couriers_name ON couriers (name, id);

ALTER TABLE deliveries
    -- How much of a courier's capacity it takes.
    ADD COLUMN load integer NOT NULL DEFAULT 1 CONSTRAINT deliveries_load CHECK (load > 0),
    ADD COLUMN courier_id uuid CONSTRAINT deliveries_courier REFERENCES couriers,
    -- When it should be there, in the time of the place.
    ADD COLUMN eta time;
CREATE INDEX deliveries_courier_created ON deliveries (courier_id, created_at, id) WHERE courier_id IS NOT NULL;
-- What a plan takes: what has not left yet.
CREATE INDEX deliveries_to_plan ON deliveries (delivery_date, id) WHERE status IN ('scheduled', 'delayed');

CREATE TABLE route_plans (
    id             uuid PRIMARY KEY,
    version        bigint NOT NULL,
    correlation_id uuid NOT NULL,
    status         text NOT NULL,
    -- In percent of the time that it may take.
    progress       integer NOT NULL,
    ask            jsonb NOT NULL,
    result         jsonb,
    fault          text,
    -- Until when whoever computes it is believed to be alive, and how often it was begun.
    claimed_until  timestamptz,
    attempts       integer NOT NULL,
    created_at     timestamptz NOT NULL,
    updated_at     timestamptz NOT NULL
);
CREATE INDEX route_plans_created ON route_plans (created_at, id);
CREATE INDEX route_plans_status ON route_plans (status, created_at, id);
