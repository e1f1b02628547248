//! The tables of `migrations/`. A test writes this file and compares it.

diesel::table! {
    checks (id) {
        id -> Uuid,
        event_id -> Uuid,
        event_type -> Text,
        entity -> Text,
        verdict -> Text,
        rules -> Jsonb,
        errors -> Jsonb,
        actor -> Text,
        correlation_id -> Uuid,
        event_time -> Timestamptz,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    consents (id) {
        id -> Uuid,
        consent_id -> Uuid,
        version -> Int8,
        subject -> Text,
        purpose -> Text,
        action -> Text,
        notice_version -> Nullable<Text>,
        evidence -> Nullable<Jsonb>,
        actor -> Text,
        source_event -> Nullable<Uuid>,
        correlation_id -> Uuid,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    policies (id) {
        id -> Text,
        version -> Int8,
        says -> Text,
        cedar -> Text,
        enabled -> Bool,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::allow_tables_to_appear_in_same_query!(checks, consents, policies);
