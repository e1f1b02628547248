-- What is there and what is promised are sums over these: each change of stock writes one with it, none is changed.
CREATE TABLE stock_movements (
    id        uuid PRIMARY KEY,
    stock_id  uuid NOT NULL CONSTRAINT stock_movements_stock REFERENCES stock,
    kind      text NOT NULL,
    -- What came, or, below zero, went.
    on_hand   bigint NOT NULL,
    -- What was promised, or, below zero, is promised no more.
    reserved  bigint NOT NULL,
    -- For example `order/0190...`.
    reference text,
    reason    text,
    actor     text NOT NULL,
    at        timestamptz NOT NULL
);
CREATE INDEX stock_movements_stock ON stock_movements (stock_id, id);
CREATE INDEX stock_movements_reference ON stock_movements (reference, id);
CREATE INDEX stock_movements_kind ON stock_movements (kind, id);
INSERT INTO stock_movements (id, stock_id, kind, on_hand, reserved, actor, at)
SELECT gen_random_uuid(), id, 'opening', on_hand, reserved, 'service/logistics', created_at FROM stock;

ALTER TABLE order_items
    -- Ordered, and not there to be promised.
    ADD COLUMN backordered integer NOT NULL DEFAULT 0 CONSTRAINT order_items_backordered CHECK (backordered >= 0),
    ADD COLUMN shipped     integer NOT NULL DEFAULT 0 CONSTRAINT order_items_shipped CHECK (shipped >= 0),
    ADD COLUMN returned    integer NOT NULL DEFAULT 0 CONSTRAINT order_items_returned CHECK (returned <= shipped);
CREATE INDEX order_items_backorders ON order_items (sku, order_id) WHERE backordered > 0;

-- Which stock is promised to which line of an order, and what of it has left.
CREATE TABLE reservations (
    order_id uuid NOT NULL,
    line     integer NOT NULL,
    stock_id uuid NOT NULL CONSTRAINT reservations_stock REFERENCES stock,
    quantity integer NOT NULL CONSTRAINT reservations_quantity CHECK (quantity >= 0),
    shipped  integer NOT NULL DEFAULT 0 CONSTRAINT reservations_shipped CHECK (shipped >= 0),
    PRIMARY KEY (order_id, line, stock_id),
    CONSTRAINT reservations_line FOREIGN KEY (order_id, line) REFERENCES order_items
);
CREATE INDEX reservations_stock ON reservations (stock_id);
