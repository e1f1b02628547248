DROP TABLE audit_waiting, audit_leaves, audit_nodes, audit_checkpoints, audit_keys;
DROP TRIGGER audit_waits ON entries_audit;
DROP FUNCTION audit_waits, append_only;
