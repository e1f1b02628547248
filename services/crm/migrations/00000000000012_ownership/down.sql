ALTER TABLE accounts DROP COLUMN search;
ALTER TABLE accounts DROP COLUMN owner, DROP COLUMN team, DROP COLUMN website;
DROP INDEX accounts_created, accounts_updated, accounts_name, accounts_lower_name, accounts_type, accounts_status, accounts_territory;
ALTER TABLE opportunities
    DROP COLUMN search,
    DROP COLUMN owner, DROP COLUMN team, DROP COLUMN account_id, DROP COLUMN lost_reason;
ALTER TABLE opportunities DROP COLUMN name;
DROP INDEX opportunities_created, opportunities_updated, opportunities_value, opportunities_stage_created,
    opportunities_closing;
DROP INDEX leads_owner_created, leads_source, leads_status_created;
ALTER TABLE leads DROP COLUMN team, DROP COLUMN authority, DROP COLUMN archived_at;
