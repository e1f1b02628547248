-- From when each module acts by what a person said: one row for each thing that was said and each module that acts by it.
CREATE TABLE consent_applications (
    consent_id uuid NOT NULL,
    version    bigint NOT NULL,
    module     text NOT NULL,
    applied_at timestamptz NOT NULL,
    PRIMARY KEY (consent_id, version, module)
);
