ALTER TABLE leads ADD COLUMN search tsvector GENERATED ALWAYS AS (to_tsvector('simple',
    regexp_replace(name || ' ' || coalesce(company, '') || ' ' || email, '[^[:alnum:]]+', ' ', 'g'))) STORED;
CREATE INDEX leads_search ON leads USING gin (search);
CREATE INDEX leads_created ON leads (created_at, id);
CREATE INDEX leads_updated ON leads (updated_at, id);
CREATE INDEX leads_name ON leads (name, id);
