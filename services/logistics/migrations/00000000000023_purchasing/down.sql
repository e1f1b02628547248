DROP TABLE purchase_orders;
DROP TABLE products;
DROP TABLE suppliers;
