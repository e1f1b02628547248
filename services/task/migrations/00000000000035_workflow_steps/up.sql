ALTER TABLE workflow_runs
    -- [{"action": ..., "status": ..., ...}], in their order.
    ADD COLUMN steps     jsonb NOT NULL DEFAULT '[]',
    -- What a run that is not over waits for: a time, an approval, a receiver.
    ADD COLUMN waits_for text,
    -- When it goes on by itself.
    ADD COLUMN wake_at   timestamptz,
    -- What is to be done, with its texts made, while it is not known to be done.
    ADD COLUMN plan      jsonb;
CREATE INDEX workflow_runs_wake ON workflow_runs (wake_at) WHERE wake_at IS NOT NULL;

-- What people are asked by workflows.
CREATE TABLE approvals (
    id             uuid PRIMARY KEY,
    version        bigint NOT NULL,
    correlation_id uuid NOT NULL,
    -- No foreign key: as with the run's own references, each may be removed by itself.
    run_id         uuid NOT NULL,
    workflow       text NOT NULL,
    question       text NOT NULL,
    approvers      text[] NOT NULL,
    status         text NOT NULL,
    expires_at     timestamptz,
    decided_by     text,
    decided_at     timestamptz,
    comment        text,
    created_at     timestamptz NOT NULL
);
CREATE INDEX approvals_run ON approvals (run_id);
CREATE INDEX approvals_status ON approvals (status, id);
CREATE INDEX approvals_approvers ON approvals USING gin (approvers);
