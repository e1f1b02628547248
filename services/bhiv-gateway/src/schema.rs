//! The tables of `migrations/`. A test writes this file and compares it.

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
    }
}

diesel::allow_tables_to_appear_in_same_query!(
    api_keys,
    consents,
    live_events,
    unified_events,
    unified_outcomes,
    users
);
