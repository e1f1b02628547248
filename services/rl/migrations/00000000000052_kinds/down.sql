DROP TRIGGER decisions_of_the_version_before ON decisions;
DROP FUNCTION decisions_of_the_version_before;
DROP TABLE consents, verdicts, snapshots;
DROP INDEX decisions_subject, decisions_closing, decisions_unlearned, decisions_rewarded_lately;
DELETE FROM decisions WHERE kind IN (SELECT kind FROM policies WHERE model = 'per_action');
DELETE FROM policies WHERE model = 'per_action';
ALTER TABLE decisions
    DROP COLUMN subject, DROP COLUMN block, DROP COLUMN mattered, DROP COLUMN masked, DROP COLUMN parts,
    DROP COLUMN mode, DROP COLUMN closes_at, DROP COLUMN closed_at, DROP COLUMN learned_in,
    DROP COLUMN forgotten_at;
ALTER TABLE policies ALTER COLUMN gamma DROP DEFAULT;
ALTER TABLE policies
    DROP COLUMN model, DROP COLUMN settings, DROP COLUMN mode, DROP COLUMN phase, DROP COLUMN uplift,
    DROP COLUMN pinned, DROP COLUMN pinned_statistics;
