-- What the law wants done within a time: requests of persons, and reports of breaches.
CREATE TABLE duties (
    id             uuid PRIMARY KEY,
    version        bigint NOT NULL CONSTRAINT duties_version CHECK (version >= 1),
    kind           text NOT NULL,
    regime         text NOT NULL,
    subject        text,
    details        text,
    -- How many persons a breach is about.
    affected       bigint,
    erasure_id     uuid,
    status         text NOT NULL,
    received_at    timestamptz NOT NULL,
    due_at         timestamptz NOT NULL,
    extended       boolean NOT NULL,
    -- When it was told that it is late.
    overdue_at     timestamptz,
    closed_at      timestamptz,
    opened_by      text NOT NULL,
    correlation_id uuid NOT NULL,
    created_at     timestamptz NOT NULL,
    updated_at     timestamptz NOT NULL
);
CREATE INDEX duties_due ON duties (due_at) WHERE overdue_at IS NULL AND closed_at IS NULL;
CREATE INDEX duties_subject ON duties (subject, id);
CREATE INDEX duties_status ON duties (status, id);
CREATE INDEX duties_erasure ON duties (erasure_id) WHERE erasure_id IS NOT NULL;
CREATE INDEX duties_received ON duties (received_at);

-- What was done about them: rows are added and never changed, but for names of persons who were erased.
CREATE TABLE duty_evidence (
    id         uuid PRIMARY KEY,
    duty_id    uuid NOT NULL REFERENCES duties ON DELETE CASCADE,
    what       text NOT NULL,
    reference  text,
    actor      text NOT NULL,
    created_at timestamptz NOT NULL
);
CREATE INDEX duty_evidence_duty ON duty_evidence (duty_id, id);
