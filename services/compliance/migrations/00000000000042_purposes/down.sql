DROP TABLE consent_expiries;
ALTER TABLE consents DROP COLUMN expired, DROP COLUMN expires_at, DROP COLUMN purpose_version;
DROP TABLE notices;
DROP TABLE purposes;
