-- What people last said to each purpose, as compliance told. `place` grows with every change, in the order of the
-- commits: a replica reads what stands above the place that it has read.
CREATE SEQUENCE consents_place;
CREATE TABLE consents (
    person     text NOT NULL,
    purpose    text NOT NULL,
    state      text NOT NULL CONSTRAINT consents_state CHECK (state IN ('granted', 'revoked')),
    sequence   bigint NOT NULL,
    place      bigint NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (person, purpose)
);
ALTER SEQUENCE consents_place OWNED BY consents.place;
CREATE UNIQUE INDEX consents_by_place ON consents (place);
CREATE INDEX consents_revoked ON consents (place) WHERE state = 'revoked';
