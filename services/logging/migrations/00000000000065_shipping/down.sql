DROP TABLE shipping_waiting, shipping_lease, shipping_refused;
