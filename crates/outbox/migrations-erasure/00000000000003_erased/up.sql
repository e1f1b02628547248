-- Who was forgotten: SHA-256 of what they were known as, in small letters, so that late news of them is recognised
-- and nobody is named here.
CREATE TABLE erased (
    name      bytea PRIMARY KEY,
    erased_at timestamptz NOT NULL
);
