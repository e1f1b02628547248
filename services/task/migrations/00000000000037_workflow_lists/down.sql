CREATE INDEX workflow_runs_outcome ON workflow_runs (outcome, id);
CREATE INDEX workflow_runs_workflow ON workflow_runs (workflow_id, id);
CREATE INDEX workflow_runs_story ON workflow_runs (correlation_id, id);
DROP INDEX workflow_runs_created, workflow_runs_outcome_created, workflow_runs_workflow_created,
    workflow_runs_story_created;
ALTER TABLE workflows DROP COLUMN search;
