-- Persons who are to be forgotten, and what each module answered. Whom an erasure is about is taken out of its row when
-- it begins, but for ids that tell nobody who it was.
CREATE TABLE erasures (
    id             uuid PRIMARY KEY,
    version        bigint NOT NULL CONSTRAINT erasures_version CHECK (version >= 1),
    subject        text NOT NULL,
    also           jsonb NOT NULL,
    regime         text NOT NULL,
    reason         text,
    status         text NOT NULL,
    -- When the modules are told, or were.
    erase_at       timestamptz NOT NULL,
    hold_id        uuid,
    requested_by   text NOT NULL,
    correlation_id uuid NOT NULL,
    started_at     timestamptz,
    completed_at   timestamptz,
    created_at     timestamptz NOT NULL,
    updated_at     timestamptz NOT NULL
);
CREATE INDEX erasures_due ON erasures (erase_at) WHERE status = 'announced';
CREATE UNIQUE INDEX erasures_under_way ON erasures (subject) WHERE status IN ('announced', 'held', 'running');
CREATE INDEX erasures_subject ON erasures (subject, id);
CREATE INDEX erasures_status ON erasures (status, id);

-- What a module removed and kept: one row for each, however often it answers.
CREATE TABLE erasure_answers (
    erasure_id  uuid NOT NULL REFERENCES erasures ON DELETE CASCADE,
    module      text NOT NULL,
    removed     jsonb NOT NULL,
    kept        jsonb NOT NULL,
    answered_at timestamptz NOT NULL,
    PRIMARY KEY (erasure_id, module)
);

-- Persons who may not be erased for now, as when a court wants to know.
CREATE TABLE legal_holds (
    id          uuid PRIMARY KEY,
    subject     text NOT NULL,
    reason      text NOT NULL,
    placed_by   text NOT NULL,
    created_at  timestamptz NOT NULL,
    released_by text,
    released_at timestamptz
);
CREATE INDEX legal_holds_standing ON legal_holds (subject) WHERE released_at IS NULL;

-- Who caused events is looked for when they are erased.
CREATE INDEX checks_actor ON checks (actor);
CREATE INDEX consents_actor ON consents (actor);
