DROP INDEX leads_name, leads_updated, leads_created, leads_search;
ALTER TABLE leads DROP COLUMN search;
