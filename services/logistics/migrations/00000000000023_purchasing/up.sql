CREATE TABLE suppliers (
    id             uuid PRIMARY KEY,
    version        bigint NOT NULL,
    correlation_id uuid NOT NULL,
    name           text NOT NULL,
    email          text,
    phone          text,
    lead_time_days integer NOT NULL CONSTRAINT suppliers_lead_time CHECK (lead_time_days >= 0),
    active         boolean NOT NULL,
    created_at     timestamptz NOT NULL,
    updated_at     timestamptz NOT NULL,
    search         tsvector GENERATED ALWAYS AS (to_tsvector('simple', regexp_replace(
        name || ' ' || coalesce(email, ''), '[^[:alnum:]]+', ' ', 'g'))) STORED
);
CREATE INDEX suppliers_search ON suppliers USING gin (search);
CREATE INDEX suppliers_created ON suppliers (created_at, id);
CREATE INDEX suppliers_name ON suppliers (name, id);

-- What is known of a product. Orders and stock name it by its sku, and may name what is not here.
CREATE TABLE products (
    id               uuid PRIMARY KEY,
    version          bigint NOT NULL,
    correlation_id   uuid NOT NULL,
    sku              text NOT NULL CONSTRAINT products_sku UNIQUE,
    name             text NOT NULL,
    unit             text,
    price            numeric CONSTRAINT products_price CHECK (price >= 0),
    currency         text NOT NULL,
    active           boolean NOT NULL,
    -- From whom it is ordered again, and how many at a time.
    supplier_id      uuid CONSTRAINT products_supplier REFERENCES suppliers,
    reorder_quantity bigint CONSTRAINT products_reorder_quantity CHECK (reorder_quantity > 0),
    created_at       timestamptz NOT NULL,
    updated_at       timestamptz NOT NULL,
    search           tsvector GENERATED ALWAYS AS (to_tsvector('simple', regexp_replace(
        name || ' ' || sku, '[^[:alnum:]]+', ' ', 'g'))) STORED
);
CREATE INDEX products_search ON products USING gin (search);
CREATE INDEX products_created ON products (created_at, id);
CREATE INDEX products_name ON products (name, id);
CREATE INDEX products_active ON products (active, created_at, id);
CREATE INDEX products_supplier ON products (supplier_id, created_at, id);

CREATE TABLE purchase_orders (
    id             uuid PRIMARY KEY,
    version        bigint NOT NULL,
    correlation_id uuid NOT NULL,
    supplier_id    uuid NOT NULL CONSTRAINT purchase_orders_supplier REFERENCES suppliers,
    sku            text NOT NULL,
    -- Where it is to be kept.
    location       text NOT NULL,
    quantity       bigint NOT NULL CONSTRAINT purchase_orders_quantity CHECK (quantity > 0),
    received       bigint NOT NULL CONSTRAINT purchase_orders_received CHECK (received BETWEEN 0 AND quantity),
    status         text NOT NULL,
    expected_on    date,
    created_at     timestamptz NOT NULL,
    updated_at     timestamptz NOT NULL
);
CREATE INDEX purchase_orders_created ON purchase_orders (created_at, id);
CREATE INDEX purchase_orders_status ON purchase_orders (status, id);
CREATE INDEX purchase_orders_supplier ON purchase_orders (supplier_id, id);
CREATE INDEX purchase_orders_sku ON purchase_orders (sku, id);
-- What is low is ordered once until it has come.
CREATE UNIQUE INDEX purchase_orders_open ON purchase_orders (sku, location)
    WHERE status IN ('draft', 'sent', 'partially_received');
