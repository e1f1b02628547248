DROP TABLE proofs;
DROP TABLE tracking_events;
