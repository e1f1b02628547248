-- What data about persons may be used for: rows are added and never changed, the highest version counts.
CREATE TABLE purposes (
    id              text NOT NULL,
    version         bigint NOT NULL CONSTRAINT purposes_version CHECK (version >= 1),
    name            text NOT NULL,
    description     text NOT NULL,
    lawful_basis    text NOT NULL,
    data_categories jsonb NOT NULL,
    recipients      jsonb NOT NULL,
    -- How long a consent to it holds, unless it says otherwise.
    valid_days      integer,
    enabled         boolean NOT NULL,
    actor           text NOT NULL,
    created_at      timestamptz NOT NULL,
    PRIMARY KEY (id, version)
);

INSERT INTO purposes
    (id, version, name, description, lawful_basis, data_categories, recipients, valid_days, enabled, actor, created_at)
SELECT id, 1, name, description, 'consent', categories::jsonb, '[]', NULL, true, 'service/compliance', now()
FROM (VALUES
    ('contact', 'Contact', 'To be called, written to and visited about what was asked for',
     '["name", "email", "phone"]'),
    ('newsletter', 'Newsletter', 'To be sent news by e-mail', '["name", "email"]'),
    ('marketing', 'Marketing', 'To be told of offers', '["name", "email", "phone"]'),
    ('analytics', 'Analytics', 'To have one''s use counted, so that the service becomes better',
     '["orders", "visits"]'),
    ('profiling', 'Profiling', 'To have interests and needs derived from what is known',
     '["orders", "visits", "leads"]'),
    ('automated_decisions', 'Automated decisions', 'To have decisions made without a person',
     '["orders", "leads"]')
) AS shipped (id, name, description, categories);

-- What persons agreed to before there was a registry.
INSERT INTO purposes
    (id, version, name, description, lawful_basis, data_categories, recipients, valid_days, enabled, actor, created_at)
SELECT DISTINCT purpose, 1, purpose, 'Taken over from consents that were given before purposes were registered',
       'consent', '[]'::jsonb, '[]'::jsonb, NULL::integer, true, 'service/compliance', now()
FROM consents WHERE purpose NOT IN (SELECT id FROM purposes);

-- What persons are shown before they agree: never changed.
CREATE TABLE notices (
    id         uuid PRIMARY KEY,
    purpose    text NOT NULL,
    version    text NOT NULL,
    language   text NOT NULL,
    text       text NOT NULL,
    sha256     text NOT NULL,
    valid_from timestamptz NOT NULL,
    actor      text NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT notices_once UNIQUE (purpose, version, language)
);

-- Until when a consent holds, and which version of its purpose it is to. An expiry is recorded as a withdrawal by the
-- clock: that is what the version before this one understands.
ALTER TABLE consents
    ADD COLUMN purpose_version bigint,
    ADD COLUMN expires_at timestamptz,
    ADD COLUMN expired boolean NOT NULL DEFAULT false;

-- Consents that stand and will end.
CREATE TABLE consent_expiries (
    consent_id uuid PRIMARY KEY,
    subject    text NOT NULL,
    purpose    text NOT NULL,
    expires_at timestamptz NOT NULL
);
CREATE INDEX consent_expiries_due ON consent_expiries (expires_at);
