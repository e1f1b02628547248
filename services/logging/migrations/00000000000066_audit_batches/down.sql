DROP INDEX entries_audit_actor;
CREATE FUNCTION audit_waits() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO audit_waiting (entry_id) VALUES (NEW.id);
    RETURN NULL;
END $$;
CREATE TRIGGER audit_waits AFTER INSERT ON entries_audit FOR EACH ROW EXECUTE FUNCTION audit_waits();
DROP TRIGGER audit_wait ON entries;
DROP FUNCTION audit_wait();
