CREATE TABLE reviews (
    id             uuid PRIMARY KEY,
    version        bigint NOT NULL,
    correlation_id uuid NOT NULL,
    task_id        uuid NOT NULL CONSTRAINT reviews_task REFERENCES tasks,
    reviewer_id    text NOT NULL,
    -- Who had done the task.
    assignee_id    text,
    status         text NOT NULL,
    comments       text,
    compliance     double precision CHECK (compliance BETWEEN 0 AND 1),
    efficiency     double precision CHECK (efficiency BETWEEN 0 AND 1),
    quality        double precision CHECK (quality BETWEEN 0 AND 1),
    timeliness     double precision CHECK (timeliness BETWEEN 0 AND 1),
    dhi_score      double precision CHECK (dhi_score BETWEEN 0 AND 1),
    created_at     timestamptz NOT NULL
);
CREATE INDEX reviews_task ON reviews (task_id, id);
CREATE INDEX reviews_reviewer ON reviews (reviewer_id, id);
CREATE INDEX reviews_status ON reviews (status, id);
CREATE INDEX reviews_assignee ON reviews (assignee_id, created_at);
