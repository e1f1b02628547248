-- Audit rows that have no leaf yet. A trigger puts them here, whichever version wrote them; one writer at a time takes
-- them out and numbers them, so that those who write rows wait for nobody.
CREATE TABLE audit_waiting (
    entry_id uuid PRIMARY KEY
);
CREATE FUNCTION audit_waits() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO audit_waiting (entry_id) VALUES (NEW.id);
    RETURN NULL;
END $$;
CREATE TRIGGER audit_waits AFTER INSERT ON entries_audit FOR EACH ROW EXECUTE FUNCTION audit_waits();
INSERT INTO audit_waiting (entry_id) SELECT id FROM entries WHERE kind = 'audit';

-- Leaves of the tree, in the order in which rows were numbered. They stay when retention drops their rows.
CREATE TABLE audit_leaves (
    leaf_index bigint PRIMARY KEY,
    entry_id   uuid NOT NULL UNIQUE,
    leaf_hash  bytea NOT NULL
);
-- Nodes of every eighth level: one for 256 below it.
CREATE TABLE audit_nodes (
    level      integer NOT NULL,
    node_index bigint NOT NULL,
    node_hash  bytea NOT NULL,
    PRIMARY KEY (level, node_index)
);
-- Roots that were signed, as signed notes.
CREATE TABLE audit_checkpoints (
    size      bigint PRIMARY KEY,
    note      text NOT NULL,
    signed_at timestamptz NOT NULL
);
-- Public halves of the keys that signed them.
CREATE TABLE audit_keys (
    id    text PRIMARY KEY,
    jwk   jsonb NOT NULL,
    since timestamptz NOT NULL
);

-- Nothing of them is ever changed. Who owns the tables can take this away; then the tree says what was done.
CREATE FUNCTION append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_leaves
    FOR EACH STATEMENT EXECUTE FUNCTION append_only();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_nodes
    FOR EACH STATEMENT EXECUTE FUNCTION append_only();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_checkpoints
    FOR EACH STATEMENT EXECUTE FUNCTION append_only();
