-- Deliveries whose day may pass before they arrive.
CREATE INDEX deliveries_promised ON deliveries (delivery_date) WHERE status IN ('scheduled', 'in_transit');
