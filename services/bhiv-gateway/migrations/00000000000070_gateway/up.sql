CREATE TABLE users (
    id            uuid PRIMARY KEY,
    version       bigint NOT NULL,
    email         text NOT NULL CONSTRAINT users_email UNIQUE,
    name          text NOT NULL,
    password_hash text NOT NULL,
    roles         text[] NOT NULL,
    created_at    timestamptz NOT NULL,
    updated_at    timestamptz NOT NULL
);

-- What clients reported with POST /event/unified.
CREATE TABLE unified_events (
    id             uuid PRIMARY KEY,
    event_id       uuid NOT NULL CONSTRAINT unified_events_event UNIQUE,
    correlation_id uuid NOT NULL,
    task_id        text NOT NULL,
    user_id        text NOT NULL,
    event_type     text NOT NULL,
    consent_flag   boolean NOT NULL,
    rl_score       double precision,
    "timestamp"    timestamptz NOT NULL,
    metadata       jsonb NOT NULL,
    created_at     timestamptz NOT NULL
);

-- What the modules made of it, as they told.
CREATE TABLE unified_outcomes (
    id         uuid PRIMARY KEY,
    unified_id uuid NOT NULL CONSTRAINT unified_outcomes_event REFERENCES unified_events,
    kind       text NOT NULL,
    data       jsonb NOT NULL,
    created_at timestamptz NOT NULL
);
CREATE INDEX unified_outcomes_unified ON unified_outcomes (unified_id, id);

-- The latest events, for live streams: a client that comes back goes on where it was.
CREATE TABLE live_events (
    seq         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    module      text NOT NULL,
    event       jsonb NOT NULL,
    received_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX live_events_age ON live_events (received_at);
