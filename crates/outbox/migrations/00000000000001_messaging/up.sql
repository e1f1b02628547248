-- Events on their way to the broker. The relay deletes what was confirmed, so the table is short unless the
-- broker is away; vacuum comes often and does not dawdle.
CREATE TABLE outbox (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    event_id    uuid NOT NULL,
    exchange    text NOT NULL,
    routing_key text NOT NULL,
    subject     text NOT NULL,
    sequence    bigint NOT NULL,
    headers     jsonb NOT NULL,
    payload     bytea NOT NULL CONSTRAINT outbox_payload_size CHECK (octet_length(payload) <= 262144),
    created_at  timestamptz NOT NULL DEFAULT now()
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000, autovacuum_vacuum_cost_delay = 0);

-- Events that the broker refused, out of the way of the others.
CREATE TABLE outbox_parked (
    id              bigint PRIMARY KEY,
    event_id        uuid NOT NULL,
    exchange        text NOT NULL,
    routing_key     text NOT NULL,
    subject         text NOT NULL,
    sequence        bigint NOT NULL,
    headers         jsonb NOT NULL,
    payload         bytea NOT NULL,
    created_at      timestamptz NOT NULL,
    attempts        integer NOT NULL,
    next_attempt_at timestamptz NOT NULL,
    last_error      text NOT NULL
);
CREATE INDEX outbox_parked_due ON outbox_parked (next_attempt_at);

-- Which consumer has seen which message.
CREATE TABLE inbox (
    message_id  uuid NOT NULL,
    consumer    text NOT NULL,
    received_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (message_id, consumer)
);

-- Messages that could not be handled yet.
CREATE TABLE inbox_parked (
    consumer        text NOT NULL,
    message_id      uuid NOT NULL,
    subject         text NOT NULL,
    sequence        bigint NOT NULL,
    headers         jsonb NOT NULL,
    payload         bytea NOT NULL,
    queue           text NOT NULL,
    attempts        integer NOT NULL,
    next_attempt_at timestamptz NOT NULL,
    error_class     text NOT NULL,
    error           text NOT NULL,
    first_failed_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (consumer, message_id)
);
CREATE INDEX inbox_parked_due ON inbox_parked (next_attempt_at);
CREATE INDEX inbox_parked_subject ON inbox_parked (consumer, subject);

-- The newest change of each subject that a consumer has seen.
CREATE TABLE subject_seq (
    consumer text NOT NULL,
    source   text NOT NULL,
    subject  text NOT NULL,
    last_seq bigint NOT NULL,
    PRIMARY KEY (consumer, source, subject)
);

-- Answers to requests that carried an Idempotency-Key.
CREATE TABLE idempotency_keys (
    principal    text NOT NULL,
    key          text NOT NULL,
    request_hash bytea NOT NULL,
    output       jsonb NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (principal, key)
);
CREATE INDEX idempotency_keys_age ON idempotency_keys (created_at);

-- Which causal story a record of another service belongs to.
CREATE TABLE stories (
    entity         text PRIMARY KEY,
    correlation_id uuid NOT NULL,
    created_at     timestamptz NOT NULL DEFAULT now()
);
