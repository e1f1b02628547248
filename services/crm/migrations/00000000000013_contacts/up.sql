CREATE TABLE contacts (
    id             uuid PRIMARY KEY,
    version        bigint NOT NULL,
    correlation_id uuid NOT NULL,
    name           text NOT NULL,
    email          text,
    phone          text,
    title          text,
    account_id     uuid CONSTRAINT contacts_account REFERENCES accounts,
    lead_id        uuid CONSTRAINT contacts_lead REFERENCES leads,
    do_not_contact boolean NOT NULL,
    owner          text NOT NULL,
    team           text,
    created_at     timestamptz NOT NULL,
    updated_at     timestamptz NOT NULL,
    search         tsvector GENERATED ALWAYS AS (to_tsvector('simple', regexp_replace(
        name || ' ' || coalesce(email, '') || ' ' || coalesce(title, ''), '[^[:alnum:]]+', ' ', 'g'))) STORED
);
CREATE INDEX contacts_search ON contacts USING gin (search);
CREATE INDEX contacts_created ON contacts (created_at, id);
CREATE INDEX contacts_updated ON contacts (updated_at, id);
CREATE INDEX contacts_name ON contacts (name, id);
CREATE INDEX contacts_account ON contacts (account_id, created_at, id);
CREATE INDEX contacts_lead ON contacts (lead_id);
CREATE INDEX contacts_owner ON contacts (owner, created_at, id);
CREATE INDEX contacts_team ON contacts (team, created_at, id);
CREATE INDEX contacts_email ON contacts (email);
CREATE INDEX contacts_phone ON contacts (phone);

ALTER TABLE opportunities ADD COLUMN contact_id uuid CONSTRAINT opportunities_contact REFERENCES contacts;
CREATE INDEX opportunities_contact ON opportunities (contact_id, created_at, id);

-- Notes of people beside what other modules told: these have an author, and may be changed.
ALTER TABLE activities
    ADD COLUMN version    bigint NOT NULL DEFAULT 1,
    ADD COLUMN body       text,
    ADD COLUMN author     text NOT NULL DEFAULT '',
    ADD COLUMN due_at     timestamptz,
    ADD COLUMN done_at    timestamptz,
    ADD COLUMN updated_at timestamptz NOT NULL DEFAULT now(),
    ADD COLUMN search     tsvector GENERATED ALWAYS AS (to_tsvector('simple', regexp_replace(
        summary || ' ' || coalesce(body, ''), '[^[:alnum:]]+', ' ', 'g'))) STORED;
UPDATE activities SET updated_at = created_at;
CREATE INDEX activities_search ON activities USING gin (search);
CREATE INDEX activities_created ON activities (created_at, id);
CREATE INDEX activities_kind ON activities (kind, created_at, id);
CREATE INDEX activities_author ON activities (author, created_at, id);
CREATE INDEX activities_due ON activities (due_at) WHERE done_at IS NULL;
