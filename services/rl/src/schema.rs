//! The tables of `migrations/`. A test writes this file and compares it.

diesel::table! {
    decisions (id) {
        id -> Uuid,
        version -> Int8,
        correlation_id -> Uuid,
        kind -> Text,
        reference -> Nullable<Text>,
        query -> Text,
        context -> Jsonb,
        candidates -> Jsonb,
        action -> Text,
        propensity -> Float8,
        score -> Float8,
        confidence -> Float8,
        reasoning -> Text,
        policy_version -> Int8,
        feature_indexes -> Array<Int4>,
        feature_values -> Array<Float8>,
        feature_prior -> Float8,
        reward -> Nullable<Float8>,
        comment -> Nullable<Text>,
        rewarded_at -> Nullable<Timestamptz>,
        actor -> Text,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    policies (kind) {
        kind -> Text,
        says -> Text,
        default_actions -> Jsonb,
        prior -> Jsonb,
        dimension -> Int4,
        gamma -> Float8,
        lambda -> Float8,
        version -> Int8,
        observations -> Int8,
        a_inv -> Nullable<Array<Float8>>,
        b -> Nullable<Array<Float8>>,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        statistics -> Nullable<Bytea>,
    }
}

diesel::allow_tables_to_appear_in_same_query!(decisions, policies);
