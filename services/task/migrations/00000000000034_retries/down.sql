DROP INDEX tasks_workflow;
ALTER TABLE workflow_runs DROP COLUMN attempts;
