-- What a statement wrote waits with one statement more, not with one for each row.
CREATE FUNCTION audit_wait() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO audit_waiting (entry_id) SELECT id FROM written WHERE kind = 'audit';
    RETURN NULL;
END $$;
CREATE TRIGGER audit_wait AFTER INSERT ON entries
    REFERENCING NEW TABLE AS written FOR EACH STATEMENT EXECUTE FUNCTION audit_wait();
DROP TRIGGER audit_waits ON entries_audit;
DROP FUNCTION audit_waits();

-- Audit rows of one who did much, among those of all.
CREATE INDEX entries_audit_actor ON entries_audit (actor, timestamp, id);
