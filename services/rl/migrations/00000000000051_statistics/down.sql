DROP INDEX decisions_outcomes;
ALTER TABLE policies DROP COLUMN statistics;
