ALTER TABLE workflow_runs ADD COLUMN attempts integer NOT NULL DEFAULT 1;
-- Whose turn was last when a workflow assigns in turn.
CREATE INDEX tasks_workflow ON tasks (workflow_id, id) WHERE workflow_id IS NOT NULL;
