//! The tables of `migrations/`. A test writes this file and compares it.

diesel::table! {
    agents (id) {
        id -> Uuid,
        version -> Int8,
        agent_id -> Text,
        agent_type -> Text,
        capabilities -> Array<Text>,
        endpoint -> Nullable<Text>,
        owner -> Text,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        last_seen_at -> Timestamptz,
    }
}

diesel::table! {
    api_keys (id) {
        id -> Uuid,
        user_id -> Uuid,
        name -> Text,
        hint -> Text,
        hash -> Bytea,
        scopes -> Array<Text>,
        created_at -> Timestamptz,
        expires_at -> Nullable<Timestamptz>,
        revoked_at -> Nullable<Timestamptz>,
        last_used_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    consents (person, purpose) {
        person -> Text,
        purpose -> Text,
        state -> Text,
        sequence -> Int8,
        place -> Int8,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    live_events (seq) {
        seq -> Int8,
        module -> Text,
        event -> Jsonb,
        received_at -> Timestamptz,
    }
}

diesel::table! {
    sessions_to_end (user_id) {
        user_id -> Text,
        keys -> Array<Uuid>,
        since -> Timestamptz,
    }
}

diesel::table! {
    subscriptions (id) {
        id -> Uuid,
        version -> Int8,
        owner -> Text,
        user_id -> Nullable<Uuid>,
        key_id -> Nullable<Uuid>,
        scope -> Nullable<Array<Text>>,
        roles -> Array<Text>,
        callback_url -> Text,
        event_types -> Array<Text>,
        description -> Nullable<Text>,
        enabled -> Bool,
        disabled_because -> Nullable<Text>,
        failing_since -> Nullable<Timestamptz>,
        secret -> Text,
        old_secret -> Nullable<Text>,
        old_secret_until -> Nullable<Timestamptz>,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        team -> Nullable<Text>,
    }
}

diesel::table! {
    unified_events (id) {
        id -> Uuid,
        event_id -> Uuid,
        correlation_id -> Uuid,
        task_id -> Text,
        user_id -> Text,
        event_type -> Text,
        consent_flag -> Bool,
        rl_score -> Nullable<Float8>,
        timestamp -> Timestamptz,
        metadata -> Jsonb,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    unified_outcomes (id) {
        id -> Uuid,
        unified_id -> Uuid,
        kind -> Text,
        data -> Jsonb,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    users (id) {
        id -> Uuid,
        version -> Int8,
        email -> Text,
        name -> Text,
        password_hash -> Text,
        roles -> Array<Text>,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        disabled -> Bool,
        team -> Nullable<Text>,
    }
}

diesel::table! {
    webhook_attempts (id) {
        id -> Uuid,
        subscription_id -> Uuid,
        event_id -> Uuid,
        event_type -> Text,
        attempt -> Int4,
        outcome -> Text,
        status_code -> Nullable<Int4>,
        error -> Nullable<Text>,
        duration_ms -> Int8,
        next_attempt_at -> Nullable<Timestamptz>,
        at -> Timestamptz,
    }
}

diesel::table! {
    webhook_deliveries (subscription_id, event_id) {
        subscription_id -> Uuid,
        event_id -> Uuid,
        event_type -> Text,
        module -> Text,
        event -> Jsonb,
        attempts -> Int4,
        next_attempt_at -> Timestamptz,
        created_at -> Timestamptz,
    }
}

diesel::allow_tables_to_appear_in_same_query!(
    agents,
    api_keys,
    consents,
    live_events,
    sessions_to_end,
    subscriptions,
    unified_events,
    unified_outcomes,
    users,
    webhook_attempts,
    webhook_deliveries
);
