DROP TRIGGER deliveries_promise ON deliveries;
DROP FUNCTION deliveries_promise;
ALTER TABLE deliveries DROP COLUMN promised_until, DROP COLUMN timezone;
