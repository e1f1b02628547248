DROP TABLE reservations;
ALTER TABLE order_items DROP COLUMN backordered, DROP COLUMN shipped, DROP COLUMN returned;
DROP TABLE stock_movements;
