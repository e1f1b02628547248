ALTER TABLE workflows ADD COLUMN search tsvector GENERATED ALWAYS AS
    (to_tsvector('simple', regexp_replace(name, '[^[:alnum:]]+', ' ', 'g'))) STORED;
CREATE INDEX workflows_search ON workflows USING gin (search);
-- Runs are listed by when they began, in either direction.
CREATE INDEX workflow_runs_created ON workflow_runs (created_at, id);
CREATE INDEX workflow_runs_outcome_created ON workflow_runs (outcome, created_at, id);
CREATE INDEX workflow_runs_workflow_created ON workflow_runs (workflow_id, created_at, id);
CREATE INDEX workflow_runs_story_created ON workflow_runs (correlation_id, created_at, id);
DROP INDEX workflow_runs_outcome, workflow_runs_workflow, workflow_runs_story;
