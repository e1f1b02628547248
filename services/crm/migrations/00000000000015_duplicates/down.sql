DROP TABLE lead_merges;
DROP TABLE lead_duplicates;
ALTER TABLE leads DROP COLUMN merged_into, DROP COLUMN email_key, DROP COLUMN phone_key, DROP COLUMN name_key;
