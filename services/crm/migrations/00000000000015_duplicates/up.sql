-- What two leads of one person have in common: the mailbox without what it ignores, the last ten digits of the phone
-- number, the beginnings of name and company.
ALTER TABLE leads
    ADD COLUMN merged_into uuid CONSTRAINT leads_merged REFERENCES leads,
    ADD COLUMN email_key text GENERATED ALWAYS AS (
        CASE WHEN lower(split_part(email, '@', 2)) IN ('gmail.com', 'googlemail.com')
             THEN replace(split_part(split_part(lower(email), '@', 1), '+', 1), '.', '') || '@gmail.com'
             ELSE split_part(split_part(lower(email), '@', 1), '+', 1) || '@' || split_part(lower(email), '@', 2)
        END) STORED,
    ADD COLUMN phone_key text GENERATED ALWAYS AS (
        CASE WHEN length(regexp_replace(phone, '[^0-9]+', '', 'g')) >= 7
             THEN right(regexp_replace(phone, '[^0-9]+', '', 'g'), 10) END) STORED,
    ADD COLUMN name_key text GENERATED ALWAYS AS (
        left(lower(regexp_replace(name, '[^[:alnum:]]+', '', 'g')), 3) || ':'
        || left(lower(regexp_replace(company, '[^[:alnum:]]+', '', 'g')), 4)) STORED;
CREATE INDEX leads_email_key ON leads (email_key, id);
CREATE INDEX leads_phone_key ON leads (phone_key, id);
CREATE INDEX leads_name_key ON leads (name_key, id);
CREATE INDEX leads_merged ON leads (merged_into) WHERE merged_into IS NOT NULL;

-- Two leads that look like one person, found when the one came in or was changed.
CREATE TABLE lead_duplicates (
    id           uuid PRIMARY KEY,
    lead_id      uuid NOT NULL CONSTRAINT lead_duplicates_lead REFERENCES leads,
    other_id     uuid NOT NULL CONSTRAINT lead_duplicates_other REFERENCES leads,
    score        double precision NOT NULL CONSTRAINT lead_duplicates_score CHECK (score BETWEEN 0 AND 1),
    reasons      text[] NOT NULL,
    -- They were looked at, and are two.
    dismissed_at timestamptz,
    CONSTRAINT lead_duplicates_once UNIQUE (lead_id, other_id)
);
CREATE INDEX lead_duplicates_open ON lead_duplicates (score, id) WHERE dismissed_at IS NULL;
CREATE INDEX lead_duplicates_other ON lead_duplicates (other_id);
-- Those that are there already, as far as they share a mailbox.
INSERT INTO lead_duplicates (id, lead_id, other_id, score, reasons)
SELECT gen_random_uuid(), l.id, o.id, 0.95, ARRAY['email']
FROM leads l CROSS JOIN LATERAL (
    SELECT id FROM leads o WHERE o.email_key = l.email_key AND o.id < l.id ORDER BY o.id DESC LIMIT 1) o;

-- What a merge moved, so that it can be taken back.
CREATE TABLE lead_merges (
    id            uuid PRIMARY KEY,
    survivor      uuid NOT NULL CONSTRAINT lead_merges_survivor REFERENCES leads,
    merged        uuid NOT NULL CONSTRAINT lead_merges_merged REFERENCES leads,
    filled        text[] NOT NULL,
    opportunities uuid[] NOT NULL,
    activities    uuid[] NOT NULL,
    contacts      uuid[] NOT NULL,
    merged_at     timestamptz NOT NULL,
    undone_at     timestamptz
);
CREATE INDEX lead_merges_merged ON lead_merges (merged, id);
