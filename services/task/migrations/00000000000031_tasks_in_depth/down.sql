DROP INDEX workflow_runs_outcome, workflow_runs_workflow, feedback_created, feedback_rating_created;
ALTER TABLE feedback DROP COLUMN search;
DROP INDEX tasks_created, tasks_updated, tasks_title, tasks_due, tasks_status_created, tasks_assignee_created,
    tasks_priority_created, tasks_reference_created, tasks_open_due;
ALTER TABLE tasks DROP COLUMN search;
ALTER TABLE tasks DROP COLUMN labels, DROP COLUMN checklist, DROP COLUMN depends_on, DROP COLUMN completed_at,
    DROP COLUMN overdue_at;
