ALTER TABLE opportunities DROP COLUMN closed_at;
DROP TABLE opportunity_stages;
