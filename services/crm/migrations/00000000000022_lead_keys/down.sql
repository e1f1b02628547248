CREATE INDEX leads_status ON leads (status, id);
CREATE INDEX leads_owner ON leads (owner, id);
CREATE INDEX leads_created ON leads (created_at, id);
DROP TRIGGER lead_keys ON leads;
DROP FUNCTION lead_keys;
ALTER TABLE leads DROP COLUMN search, DROP COLUMN email_key, DROP COLUMN phone_key, DROP COLUMN name_key;
ALTER TABLE leads
    ADD COLUMN search tsvector GENERATED ALWAYS AS (to_tsvector('simple',
        regexp_replace(name || ' ' || coalesce(company, '') || ' ' || email, '[^[:alnum:]]+', ' ', 'g'))) STORED,
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
CREATE INDEX leads_search ON leads USING gin (search);
CREATE INDEX leads_email_key ON leads (email_key, id);
CREATE INDEX leads_phone_key ON leads (phone_key, id);
CREATE INDEX leads_name_key ON leads (name_key, id);
