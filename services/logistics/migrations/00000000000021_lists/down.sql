ALTER TABLE stock DROP COLUMN search;
ALTER TABLE deliveries DROP COLUMN search;
ALTER TABLE orders DROP COLUMN search;
DROP INDEX orders_created, orders_updated, orders_total_sorted, orders_status_created, orders_customer_created,
    orders_priority, deliveries_created, deliveries_date, deliveries_status_created, stock_created,
    stock_location_created, stock_product, stock_ample, stock_available;
