ALTER TABLE tasks
    -- When it is escalated if it is not done by then.
    ADD COLUMN escalate_at  timestamptz,
    -- When somebody should have begun, by its service level.
    ADD COLUMN respond_by   timestamptz,
    ADD COLUMN responded_at timestamptz,
    -- When it was told that nobody had.
    ADD COLUMN breached_at  timestamptz,
    -- No foreign key: a task outlives what it recurred from.
    ADD COLUMN recurring_id uuid;
CREATE INDEX tasks_to_escalate ON tasks (escalate_at)
    WHERE escalate_at IS NOT NULL AND status IN ('pending', 'in_progress', 'blocked');
CREATE INDEX tasks_to_respond ON tasks (respond_by)
    WHERE respond_by IS NOT NULL AND responded_at IS NULL AND breached_at IS NULL;

-- What is promised of tasks that are so urgent.
CREATE TABLE service_levels (
    priority               text PRIMARY KEY,
    version                bigint NOT NULL,
    respond_within_minutes integer,
    resolve_within_minutes integer,
    escalate_after_minutes integer,
    updated_at             timestamptz NOT NULL
);

-- Tasks that come again and again.
CREATE TABLE recurring_tasks (
    id         uuid PRIMARY KEY,
    version    bigint NOT NULL,
    cron       text NOT NULL,
    timezone   text NOT NULL,
    task       jsonb NOT NULL,
    enabled    boolean NOT NULL,
    next_at    timestamptz,
    last_at    timestamptz,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);
CREATE INDEX recurring_tasks_next ON recurring_tasks (next_at) WHERE next_at IS NOT NULL;
