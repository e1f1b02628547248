ALTER TABLE tasks
    ADD COLUMN labels       text[] NOT NULL DEFAULT '{}',
    -- [{"text": ..., "done": ...}]
    ADD COLUMN checklist    jsonb NOT NULL DEFAULT '[]',
    -- Tasks that have to be completed before this one.
    ADD COLUMN depends_on   uuid[] NOT NULL DEFAULT '{}',
    ADD COLUMN completed_at timestamptz,
    -- When it was told that the task is overdue.
    ADD COLUMN overdue_at   timestamptz,
    ADD COLUMN search       tsvector GENERATED ALWAYS AS (to_tsvector('simple', regexp_replace(
        title || ' ' || coalesce(description, ''), '[^[:alnum:]]+', ' ', 'g'))) STORED;
UPDATE tasks SET completed_at = (
    SELECT max(at) FROM task_transitions WHERE task_id = tasks.id AND to_status = 'completed')
WHERE status = 'completed';
-- What was late before this was watched is not told of now.
UPDATE tasks SET overdue_at = due_date WHERE due_date < now();
CREATE INDEX tasks_search ON tasks USING gin (search);
CREATE INDEX tasks_labels ON tasks USING gin (labels);
CREATE INDEX tasks_created ON tasks (created_at, id);
CREATE INDEX tasks_updated ON tasks (updated_at, id);
CREATE INDEX tasks_title ON tasks (title, id);
CREATE INDEX tasks_due ON tasks ((coalesce(due_date, '9999-12-31 00:00:00+00'::timestamptz)), id);
CREATE INDEX tasks_status_created ON tasks (status, created_at, id);
CREATE INDEX tasks_assignee_created ON tasks (assignee_id, created_at, id);
CREATE INDEX tasks_priority_created ON tasks (priority, created_at, id);
CREATE INDEX tasks_reference_created ON tasks (reference, created_at, id);
CREATE INDEX tasks_to_be_told ON tasks (due_date)
    WHERE overdue_at IS NULL AND status NOT IN ('completed', 'cancelled');
CREATE INDEX tasks_open_due ON tasks (due_date) WHERE status NOT IN ('completed', 'cancelled');
CREATE INDEX tasks_done ON tasks (assignee_id, completed_at) WHERE completed_at IS NOT NULL;

CREATE INDEX feedback_created ON feedback (created_at, id);
CREATE INDEX feedback_rating_created ON feedback (rating, created_at, id);
ALTER TABLE feedback ADD COLUMN search tsvector GENERATED ALWAYS AS (to_tsvector('simple',
    regexp_replace(coalesce(comment, ''), '[^[:alnum:]]+', ' ', 'g'))) STORED;
CREATE INDEX feedback_search ON feedback USING gin (search);

CREATE INDEX workflow_runs_outcome ON workflow_runs (outcome, id);
CREATE INDEX workflow_runs_workflow ON workflow_runs (workflow_id, id);
