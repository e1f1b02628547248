CREATE INDEX orders_created ON orders (created_at, id);
CREATE INDEX orders_updated ON orders (updated_at, id);
CREATE INDEX orders_total_sorted ON orders (total, id);
CREATE INDEX orders_status_created ON orders (status, created_at, id);
CREATE INDEX orders_customer_created ON orders (customer_id, created_at, id);
CREATE INDEX orders_priority ON orders (priority, created_at, id);
ALTER TABLE orders ADD COLUMN search tsvector GENERATED ALWAYS AS
    (to_tsvector('simple', regexp_replace(customer_id, '[^[:alnum:]]+', ' ', 'g'))) STORED;
CREATE INDEX orders_search ON orders USING gin (search);

CREATE INDEX deliveries_created ON deliveries (created_at, id);
CREATE INDEX deliveries_date ON deliveries (delivery_date, id);
CREATE INDEX deliveries_status_created ON deliveries (status, created_at, id);
ALTER TABLE deliveries ADD COLUMN search tsvector GENERATED ALWAYS AS (to_tsvector('simple',
    regexp_replace(tracking_number || ' ' || address, '[^[:alnum:]]+', ' ', 'g'))) STORED;
CREATE INDEX deliveries_search ON deliveries USING gin (search);

CREATE INDEX stock_created ON stock (created_at, id);
CREATE INDEX stock_location_created ON stock (location, created_at, id);
CREATE INDEX stock_product ON stock (product_id, id);
CREATE INDEX stock_ample ON stock (id) WHERE on_hand - reserved > reorder_level;
CREATE INDEX stock_available ON stock ((on_hand - reserved), id);
ALTER TABLE stock ADD COLUMN search tsvector GENERATED ALWAYS AS (to_tsvector('simple',
    regexp_replace(product_id || ' ' || location, '[^[:alnum:]]+', ' ', 'g'))) STORED;
CREATE INDEX stock_search ON stock USING gin (search);
