-- A single event of the latest ones, by its id.
CREATE INDEX live_events_event ON live_events (((event ->> 'id')::uuid));

-- Who wants to be told of which events, and where. The secrets have to be known to sign with them, so they stand
-- here as they are: only the gateway's own role may read this schema, and no answer, log or audit row has them.
CREATE TABLE subscriptions (
    id               uuid PRIMARY KEY,
    version          bigint NOT NULL,
    owner            text NOT NULL,
    -- The user who is the owner, or whose key is; what they are now counts.
    user_id          uuid,
    -- The key, if the owner is one.
    key_id           uuid,
    -- Permissions, if the owner had less than the roles allow.
    scope            text[],
    -- What the owner was at creation. Counts for those whom we do not know, such as services.
    roles            text[] NOT NULL,
    callback_url     text NOT NULL,
    -- Public names; none: every event.
    event_types      text[] NOT NULL,
    description      text,
    enabled          boolean NOT NULL,
    -- Why it is not enabled: `owner`, `gone` or `failing`.
    disabled_because text,
    -- When the first of an unbroken row of failures was.
    failing_since    timestamptz,
    secret           text NOT NULL,
    -- The secret before, which is signed with beside the new one until then.
    old_secret       text,
    old_secret_until timestamptz,
    created_at       timestamptz NOT NULL,
    updated_at       timestamptz NOT NULL
);
CREATE INDEX subscriptions_owner ON subscriptions (owner, id);

-- What has to be delivered still. A row goes when its delivery succeeds or is given up. It refers to its
-- subscription by id alone: an event must not fail because a subscription goes at the same time.
CREATE TABLE webhook_deliveries (
    subscription_id uuid NOT NULL,
    event_id        uuid NOT NULL,
    event_type      text NOT NULL,
    -- The module that told it, whose permission it takes to see it.
    module          text NOT NULL,
    event           jsonb NOT NULL,
    -- Attempts that were begun.
    attempts        integer NOT NULL,
    -- Whoever takes it up moves this into the future: until then it is theirs.
    next_attempt_at timestamptz NOT NULL,
    created_at      timestamptz NOT NULL,
    PRIMARY KEY (subscription_id, event_id)
);
CREATE INDEX webhook_deliveries_due ON webhook_deliveries (subscription_id, next_attempt_at);

-- What came of each attempt.
CREATE TABLE webhook_attempts (
    id              uuid PRIMARY KEY,
    subscription_id uuid NOT NULL,
    event_id        uuid NOT NULL,
    event_type      text NOT NULL,
    attempt         integer NOT NULL,
    outcome         text NOT NULL,
    status_code     integer,
    error           text,
    duration_ms     bigint NOT NULL,
    next_attempt_at timestamptz,
    at              timestamptz NOT NULL
);
CREATE INDEX webhook_attempts_subscription ON webhook_attempts (subscription_id, id);
CREATE INDEX webhook_attempts_age ON webhook_attempts (at);
