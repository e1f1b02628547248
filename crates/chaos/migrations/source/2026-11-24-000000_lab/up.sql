CREATE TABLE subjects (
    id      integer PRIMARY KEY,
    version bigint NOT NULL
);

-- Every change that was committed, and by which request.
CREATE TABLE changes (
    change_id  uuid NOT NULL,
    event_id   uuid NOT NULL,
    key        text NOT NULL,
    subject    integer NOT NULL,
    version    bigint NOT NULL,
    act        text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- What the sink answered. Without a key: what comes twice is seen twice.
CREATE TABLE echoes (
    place     bigint GENERATED ALWAYS AS IDENTITY,
    change_id uuid NOT NULL
);
