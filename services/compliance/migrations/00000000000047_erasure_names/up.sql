-- Who is to be forgotten, as long as the erasure is open: it does not know their names any more once it has begun, and
-- another one, or a legal hold, would not be seen to come too late.
CREATE TABLE erasure_names (
    name       bytea NOT NULL,
    erasure_id uuid NOT NULL REFERENCES erasures ON DELETE CASCADE,
    PRIMARY KEY (name, erasure_id)
);
CREATE INDEX erasure_names_erasure ON erasure_names (erasure_id);

INSERT INTO erasure_names (name, erasure_id)
SELECT DISTINCT sha256(convert_to(lower(name), 'UTF8')), id
FROM erasures, LATERAL (SELECT subject UNION SELECT jsonb_array_elements_text(also)) AS names (name)
WHERE status IN ('announced', 'held', 'running');

-- Names of people are compared without regard to capitals, here as well.
DROP INDEX legal_holds_standing;
CREATE INDEX legal_holds_standing ON legal_holds (lower(subject)) WHERE released_at IS NULL;
