DROP TABLE stock;
DROP TABLE deliveries;
DROP TABLE order_items;
DROP TABLE orders;
