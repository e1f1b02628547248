-- An owner of '' is nobody: what is nobody's, in no team, is everybody's. The version before writes it so.
ALTER TABLE leads ADD COLUMN team text, ADD COLUMN authority text, ADD COLUMN archived_at timestamptz;
CREATE INDEX leads_team ON leads (team, created_at, id);
CREATE INDEX leads_owner_created ON leads (owner, created_at, id);
CREATE INDEX leads_source ON leads (source, created_at, id);
CREATE INDEX leads_status_created ON leads (status, created_at, id);
-- What is counted for a list is counted in these.
CREATE INDEX leads_live ON leads (created_at, id) WHERE archived_at IS NULL;
CREATE INDEX leads_archived ON leads (created_at, id) WHERE archived_at IS NOT NULL;

ALTER TABLE opportunities
    ADD COLUMN name        text,
    ADD COLUMN owner       text NOT NULL DEFAULT '',
    ADD COLUMN team        text,
    ADD COLUMN account_id  uuid CONSTRAINT opportunities_account REFERENCES accounts,
    ADD COLUMN lost_reason text,
    ADD COLUMN search      tsvector GENERATED ALWAYS AS (to_tsvector('simple',
        regexp_replace(coalesce(name, ''), '[^[:alnum:]]+', ' ', 'g'))) STORED;
UPDATE opportunities SET owner = leads.owner FROM leads WHERE leads.id = opportunities.lead_id;
CREATE INDEX opportunities_search ON opportunities USING gin (search);
CREATE INDEX opportunities_created ON opportunities (created_at, id);
CREATE INDEX opportunities_updated ON opportunities (updated_at, id);
CREATE INDEX opportunities_value ON opportunities (value, id);
CREATE INDEX opportunities_owner ON opportunities (owner, created_at, id);
CREATE INDEX opportunities_team ON opportunities (team, created_at, id);
CREATE INDEX opportunities_account ON opportunities (account_id, created_at, id);
CREATE INDEX opportunities_stage_created ON opportunities (stage, created_at, id);
CREATE INDEX opportunities_closing ON opportunities (expected_close_date);

ALTER TABLE accounts
    ADD COLUMN owner   text NOT NULL DEFAULT '',
    ADD COLUMN team    text,
    ADD COLUMN website text,
    ADD COLUMN search  tsvector GENERATED ALWAYS AS (to_tsvector('simple', regexp_replace(
        name || ' ' || coalesce(website, '') || ' ' || coalesce(customer_id, ''), '[^[:alnum:]]+', ' ', 'g'))) STORED;
CREATE INDEX accounts_search ON accounts USING gin (search);
CREATE INDEX accounts_created ON accounts (created_at, id);
CREATE INDEX accounts_updated ON accounts (updated_at, id);
CREATE INDEX accounts_name ON accounts (name, id);
CREATE INDEX accounts_lower_name ON accounts (lower(name));
CREATE INDEX accounts_owner ON accounts (owner, created_at, id);
CREATE INDEX accounts_team ON accounts (team, created_at, id);
CREATE INDEX accounts_type ON accounts (type, created_at, id);
CREATE INDEX accounts_status ON accounts (status, created_at, id);
CREATE INDEX accounts_territory ON accounts (territory, created_at, id);
