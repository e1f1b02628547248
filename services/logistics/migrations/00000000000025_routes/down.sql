DROP TABLE route_plans;
ALTER TABLE deliveries DROP COLUMN load, DROP COLUMN courier_id, DROP COLUMN eta;
DROP TABLE couriers;
