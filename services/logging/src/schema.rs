//! The tables of `migrations/`. A test writes this file and compares it.

diesel::table! {
    entries (id) {
        id -> Uuid,
        kind -> Text,
        event_type -> Text,
        #[sql_name = "type"]
        type_ -> Text,
        source -> Text,
        subject -> Text,
        entity -> Text,
        actor -> Text,
        correlation_id -> Uuid,
        causation_id -> Nullable<Uuid>,
        sequence -> Int8,
        trace_id -> Nullable<Text>,
        task_id -> Nullable<Text>,
        user_id -> Nullable<Text>,
        rl_score -> Nullable<Float8>,
        consent_flag -> Nullable<Bool>,
        action -> Nullable<Text>,
        timestamp -> Timestamptz,
        received_at -> Timestamptz,
        data -> Jsonb,
    }
}
