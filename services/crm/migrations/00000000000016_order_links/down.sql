DROP TABLE order_links;
