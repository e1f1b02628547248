//! The tables of `migrations/`. A test writes this file and compares it.

diesel::table! {
    consents (person, purpose) {
        person -> Text,
        purpose -> Text,
        sequence -> Int8,
        withdrawn -> Bool,
    }
}

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
        subject -> Nullable<Text>,
        block -> Text,
        mattered -> Jsonb,
        masked -> Jsonb,
        parts -> Jsonb,
        mode -> Text,
        closes_at -> Nullable<Timestamptz>,
        closed_at -> Nullable<Timestamptz>,
        learned_in -> Nullable<Int8>,
        forgotten_at -> Nullable<Timestamptz>,
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
        model -> Text,
        settings -> Jsonb,
        mode -> Text,
        phase -> Int8,
        uplift -> Array<Float8>,
        pinned -> Nullable<Int8>,
        pinned_statistics -> Nullable<Bytea>,
    }
}

diesel::table! {
    snapshots (kind, version) {
        kind -> Text,
        version -> Int8,
        cause -> Text,
        mode -> Text,
        observations -> Int8,
        hash -> Text,
        outcomes -> Int8,
        mean_reward -> Nullable<Float8>,
        squared_error -> Nullable<Float8>,
        uplift_lower -> Float8,
        uplift_upper -> Float8,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    verdicts (entity, event_type) {
        entity -> Text,
        event_type -> Text,
        check_id -> Uuid,
        rules -> Jsonb,
        heard_at -> Timestamptz,
    }
}

diesel::allow_tables_to_appear_in_same_query!(consents, decisions, policies, snapshots, verdicts);
