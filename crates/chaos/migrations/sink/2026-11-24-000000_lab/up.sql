-- Every effect of every handler. Without a key: what happens twice is seen twice.
CREATE TABLE effects (
    place      bigint GENERATED ALWAYS AS IDENTITY,
    consumer   text NOT NULL,
    change_id  uuid NOT NULL,
    subject    integer NOT NULL,
    version    bigint NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- How handlers are told to misbehave.
CREATE TABLE told (act text PRIMARY KEY);
