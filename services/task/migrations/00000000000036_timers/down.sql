DROP TABLE recurring_tasks;
DROP TABLE service_levels;
ALTER TABLE tasks
    DROP COLUMN escalate_at,
    DROP COLUMN respond_by,
    DROP COLUMN responded_at,
    DROP COLUMN breached_at,
    DROP COLUMN recurring_id;
