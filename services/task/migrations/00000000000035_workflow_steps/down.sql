DROP TABLE approvals;
ALTER TABLE workflow_runs DROP COLUMN steps, DROP COLUMN waits_for, DROP COLUMN wake_at, DROP COLUMN plan;
