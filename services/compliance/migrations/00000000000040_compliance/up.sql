-- What persons said to purposes: rows are added and never changed. `consent_id` is that of everything that one
-- person said to one purpose, and `version` counts it.
CREATE TABLE consents (
    id             uuid PRIMARY KEY,
    consent_id     uuid NOT NULL,
    version        bigint NOT NULL CONSTRAINT consents_version CHECK (version >= 1),
    subject        text NOT NULL,
    purpose        text NOT NULL,
    action         text NOT NULL,
    notice_version text,
    evidence       jsonb,
    actor          text NOT NULL,
    source_event   uuid,
    correlation_id uuid NOT NULL,
    created_at     timestamptz NOT NULL,
    CONSTRAINT consents_in_order UNIQUE (subject, purpose, version)
);
CREATE INDEX consents_created_at ON consents (created_at);

-- Rules in Cedar, https://docs.cedarpolicy.com; src/domain/context.rs says what they can ask.
CREATE TABLE policies (
    id         text PRIMARY KEY,
    version    bigint NOT NULL,
    says       text NOT NULL,
    cedar      text NOT NULL,
    enabled    boolean NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);

-- One verdict on each event.
CREATE TABLE checks (
    id             uuid PRIMARY KEY,
    event_id       uuid NOT NULL CONSTRAINT checks_event UNIQUE,
    event_type     text NOT NULL,
    entity         text NOT NULL,
    verdict        text NOT NULL,
    rules          jsonb NOT NULL,
    errors         jsonb NOT NULL,
    actor          text NOT NULL,
    correlation_id uuid NOT NULL,
    event_time     timestamptz NOT NULL,
    created_at     timestamptz NOT NULL
);
CREATE INDEX checks_event_type ON checks (event_type, id);
CREATE INDEX checks_entity ON checks (entity, id);
CREATE INDEX checks_verdict ON checks (verdict, id);
CREATE INDEX checks_correlation ON checks (correlation_id, id);
CREATE INDEX checks_created_at ON checks (created_at);

INSERT INTO policies (id, version, says, cedar, enabled, created_at, updated_at)
SELECT id, 1, says, trim(E'\n' FROM cedar), true, now(), now()
FROM (VALUES
    ('ordinary-business', 'Ordinary business is permitted', $cedar$
permit (principal, action, resource);
$cedar$),
    ('lead-needs-consent', 'A lead may be kept only with consent to be contacted', $cedar$
forbid (principal, action == Action::"lead_created", resource)
unless { context.data has consent_purposes && context.data.consent_purposes.contains("contact") };
$cedar$),
    ('unified-needs-consent', 'A reported event may be processed only with the consent of its user', $cedar$
forbid (principal, action == Action::"unified_received", resource)
when { context.data has consent_flag && context.data.consent_flag == false };
$cedar$),
    ('large-order-needs-opportunity', 'An order of 1,000,000 or more has to come from an opportunity', $cedar$
forbid (principal, action == Action::"order_created", resource)
when { context.numbers has total && context.numbers.total.greaterThanOrEqual(decimal("1000000.0")) }
unless { context.data has opportunity_id };
$cedar$),
    ('withdrawn-consent', 'Who withdrew consent to be contacted is not worked on', $cedar$
forbid (
    principal,
    action in [Action::"lead_updated", Action::"opportunity_created"],
    resource
)
when { context.withdrawn.contains("contact") };
$cedar$)
) AS shipped (id, says, cedar);
