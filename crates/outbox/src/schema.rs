//! The tables of `migrations/`.

diesel::table! {
    outbox (id) {
        id -> Int8,
        event_id -> Uuid,
        exchange -> Text,
        routing_key -> Text,
        subject -> Text,
        sequence -> Int8,
        headers -> Jsonb,
        payload -> Bytea,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    outbox_parked (id) {
        id -> Int8,
        event_id -> Uuid,
        exchange -> Text,
        routing_key -> Text,
        subject -> Text,
        sequence -> Int8,
        headers -> Jsonb,
        payload -> Bytea,
        created_at -> Timestamptz,
        attempts -> Int4,
        next_attempt_at -> Timestamptz,
        last_error -> Text,
    }
}

diesel::table! {
    inbox (message_id, consumer) {
        message_id -> Uuid,
        consumer -> Text,
        received_at -> Timestamptz,
    }
}

diesel::table! {
    inbox_parked (consumer, message_id) {
        consumer -> Text,
        message_id -> Uuid,
        subject -> Text,
        sequence -> Int8,
        headers -> Jsonb,
        payload -> Bytea,
        queue -> Text,
        attempts -> Int4,
        next_attempt_at -> Timestamptz,
        error_class -> Text,
        error -> Text,
        first_failed_at -> Timestamptz,
    }
}

diesel::table! {
    subject_seq (consumer, source, subject) {
        consumer -> Text,
        source -> Text,
        subject -> Text,
        last_seq -> Int8,
    }
}
