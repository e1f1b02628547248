CREATE TABLE leads (
    id               uuid PRIMARY KEY,
    version          bigint NOT NULL,
    correlation_id   uuid NOT NULL,
    name             text NOT NULL,
    email            text NOT NULL,
    phone            text,
    company          text,
    source           text,
    budget           numeric CONSTRAINT leads_budget CHECK (budget >= 0),
    need             text,
    timeline         text,
    consent_purposes text[] NOT NULL,
    owner            text NOT NULL,
    status           text NOT NULL,
    score            double precision CONSTRAINT leads_score CHECK (score BETWEEN 0 AND 1),
    created_at       timestamptz NOT NULL,
    updated_at       timestamptz NOT NULL
);
CREATE INDEX leads_status ON leads (status, id);
CREATE INDEX leads_owner ON leads (owner, id);
CREATE INDEX leads_email ON leads (email);

CREATE TABLE opportunities (
    id                  uuid PRIMARY KEY,
    version             bigint NOT NULL,
    correlation_id      uuid NOT NULL,
    lead_id             uuid NOT NULL CONSTRAINT opportunities_lead REFERENCES leads,
    value               numeric NOT NULL CONSTRAINT opportunities_value CHECK (value >= 0),
    currency            text NOT NULL,
    stage               text NOT NULL,
    probability         double precision NOT NULL
                        CONSTRAINT opportunities_probability CHECK (probability BETWEEN 0 AND 1),
    expected_close_date date,
    created_at          timestamptz NOT NULL,
    updated_at          timestamptz NOT NULL
);
CREATE INDEX opportunities_lead ON opportunities (lead_id, id);
CREATE INDEX opportunities_stage ON opportunities (stage, id);

CREATE TABLE accounts (
    id             uuid PRIMARY KEY,
    version        bigint NOT NULL,
    correlation_id uuid NOT NULL,
    name           text NOT NULL,
    type           text NOT NULL,
    status         text NOT NULL,
    territory      text,
    parent_id      uuid CONSTRAINT accounts_parent REFERENCES accounts,
    customer_id    text CONSTRAINT accounts_customer UNIQUE,
    created_at     timestamptz NOT NULL,
    updated_at     timestamptz NOT NULL
);
CREATE INDEX accounts_parent ON accounts (parent_id);

-- What happened to a lead, an opportunity or an account, as far as other modules told.
CREATE TABLE activities (
    id         uuid PRIMARY KEY,
    entity     text NOT NULL,
    kind       text NOT NULL,
    summary    text NOT NULL,
    created_at timestamptz NOT NULL
);
CREATE INDEX activities_entity ON activities (entity, id);
