DROP TABLE heard_events;
ALTER TABLE checks DROP COLUMN flip;
DROP TABLE policy_versions;
