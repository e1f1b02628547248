DROP INDEX legal_holds_standing;
CREATE INDEX legal_holds_standing ON legal_holds (subject) WHERE released_at IS NULL;
DROP TABLE erasure_names;
