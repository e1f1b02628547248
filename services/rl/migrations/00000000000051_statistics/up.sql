-- What a learner knows, as sums in whole numbers: see bhiv_bandit::Learner::statistics. Until they are there, they are
-- computed from the decisions. The version before this one goes on with a_inv and b.
ALTER TABLE policies ADD COLUMN statistics bytea;
CREATE INDEX decisions_outcomes ON decisions (kind) WHERE reward IS NOT NULL;
