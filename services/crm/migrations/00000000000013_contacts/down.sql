DROP INDEX activities_created, activities_kind, activities_due;
ALTER TABLE activities DROP COLUMN search;
ALTER TABLE activities DROP COLUMN version, DROP COLUMN body, DROP COLUMN author, DROP COLUMN due_at,
    DROP COLUMN done_at, DROP COLUMN updated_at;
ALTER TABLE opportunities DROP COLUMN contact_id;
DROP TABLE contacts;
