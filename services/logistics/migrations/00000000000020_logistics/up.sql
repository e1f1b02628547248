CREATE TABLE orders (
    id             uuid PRIMARY KEY,
    version        bigint NOT NULL,
    correlation_id uuid NOT NULL,
    opportunity_id uuid,
    customer_id    text NOT NULL,
    total          numeric NOT NULL CONSTRAINT orders_total CHECK (total >= 0),
    currency       text NOT NULL,
    priority       text NOT NULL,
    status         text NOT NULL,
    status_reason  text,
    created_at     timestamptz NOT NULL,
    updated_at     timestamptz NOT NULL
);
CREATE INDEX orders_status ON orders (status, id);
CREATE INDEX orders_customer ON orders (customer_id, id);
CREATE INDEX orders_opportunity ON orders (opportunity_id, id);

CREATE TABLE order_items (
    order_id uuid NOT NULL CONSTRAINT order_items_order REFERENCES orders,
    line     integer NOT NULL,
    sku      text NOT NULL,
    quantity integer NOT NULL CONSTRAINT order_items_quantity CHECK (quantity >= 1),
    price    numeric NOT NULL CONSTRAINT order_items_price CHECK (price >= 0),
    PRIMARY KEY (order_id, line)
);

CREATE TABLE deliveries (
    id                   uuid PRIMARY KEY,
    version              bigint NOT NULL,
    correlation_id       uuid NOT NULL,
    order_id             uuid NOT NULL CONSTRAINT deliveries_order REFERENCES orders,
    tracking_number      text NOT NULL CONSTRAINT deliveries_tracking_number UNIQUE,
    delivery_date        date NOT NULL,
    "window"             jsonb,
    address              text NOT NULL,
    location             jsonb,
    special_instructions text,
    priority             text NOT NULL,
    status               text NOT NULL,
    status_reason        text,
    created_at           timestamptz NOT NULL,
    updated_at           timestamptz NOT NULL
);
CREATE INDEX deliveries_order ON deliveries (order_id, id);
CREATE INDEX deliveries_status ON deliveries (status, id);

CREATE TABLE stock (
    id             uuid PRIMARY KEY,
    version        bigint NOT NULL,
    correlation_id uuid NOT NULL,
    product_id     text NOT NULL,
    location       text NOT NULL,
    on_hand        bigint NOT NULL,
    reserved       bigint NOT NULL,
    reorder_level  bigint NOT NULL CONSTRAINT stock_reorder_level CHECK (reorder_level >= 0),
    change_reason  text,
    created_at     timestamptz NOT NULL,
    updated_at     timestamptz NOT NULL,
    CONSTRAINT stock_reserved CHECK (reserved BETWEEN 0 AND on_hand),
    CONSTRAINT stock_place UNIQUE (product_id, location)
);
CREATE INDEX stock_location ON stock (location, id);
CREATE INDEX stock_low ON stock (id) WHERE on_hand - reserved <= reorder_level;
