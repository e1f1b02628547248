CREATE INDEX opportunities_currency_created ON opportunities (currency, created_at, id);
CREATE INDEX IF NOT EXISTS accounts_parent_name ON accounts (parent_id, name, id) WHERE parent_id IS NOT NULL;
