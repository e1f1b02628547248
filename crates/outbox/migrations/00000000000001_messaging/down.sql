DROP TABLE stories;
DROP TABLE idempotency_keys;
DROP TABLE subject_seq;
DROP TABLE inbox_parked;
DROP TABLE inbox;
DROP TABLE outbox_parked;
DROP TABLE outbox;
