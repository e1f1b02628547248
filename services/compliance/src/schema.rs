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
        flip -> Nullable<Jsonb>,
    }
}

diesel::table! {
    consent_applications (consent_id, version, module) {
        consent_id -> Uuid,
        version -> Int8,
        module -> Text,
        applied_at -> Timestamptz,
    }
}

diesel::table! {
    consent_expiries (consent_id) {
        consent_id -> Uuid,
        subject -> Text,
        purpose -> Text,
        expires_at -> Timestamptz,
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
        purpose_version -> Nullable<Int8>,
        expires_at -> Nullable<Timestamptz>,
        expired -> Bool,
    }
}

diesel::table! {
    duties (id) {
        id -> Uuid,
        version -> Int8,
        kind -> Text,
        regime -> Text,
        subject -> Nullable<Text>,
        details -> Nullable<Text>,
        affected -> Nullable<Int8>,
        erasure_id -> Nullable<Uuid>,
        status -> Text,
        received_at -> Timestamptz,
        due_at -> Timestamptz,
        extended -> Bool,
        overdue_at -> Nullable<Timestamptz>,
        closed_at -> Nullable<Timestamptz>,
        opened_by -> Text,
        correlation_id -> Uuid,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    duty_evidence (id) {
        id -> Uuid,
        duty_id -> Uuid,
        what -> Text,
        reference -> Nullable<Text>,
        actor -> Text,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    erasure_answers (erasure_id, module) {
        erasure_id -> Uuid,
        module -> Text,
        removed -> Jsonb,
        kept -> Jsonb,
        answered_at -> Timestamptz,
    }
}

diesel::table! {
    erasure_names (name, erasure_id) {
        name -> Bytea,
        erasure_id -> Uuid,
    }
}

diesel::table! {
    erasures (id) {
        id -> Uuid,
        version -> Int8,
        subject -> Text,
        also -> Jsonb,
        regime -> Text,
        reason -> Nullable<Text>,
        status -> Text,
        erase_at -> Timestamptz,
        hold_id -> Nullable<Uuid>,
        requested_by -> Text,
        correlation_id -> Uuid,
        started_at -> Nullable<Timestamptz>,
        completed_at -> Nullable<Timestamptz>,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    heard_events (event_id) {
        event_id -> Uuid,
        name -> Text,
        event -> Jsonb,
        known -> Jsonb,
        heard_at -> Timestamptz,
    }
}

diesel::table! {
    legal_holds (id) {
        id -> Uuid,
        subject -> Text,
        reason -> Text,
        placed_by -> Text,
        created_at -> Timestamptz,
        released_by -> Nullable<Text>,
        released_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    notices (id) {
        id -> Uuid,
        purpose -> Text,
        version -> Text,
        language -> Text,
        text -> Text,
        sha256 -> Text,
        valid_from -> Timestamptz,
        actor -> Text,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    pack_files (pack_id, name) {
        pack_id -> Uuid,
        name -> Text,
        content -> Text,
    }
}

diesel::table! {
    packs (id) {
        id -> Uuid,
        start_date -> Date,
        end_date -> Date,
        files -> Jsonb,
        created_by -> Text,
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

diesel::table! {
    policy_versions (policy_id, version) {
        policy_id -> Text,
        version -> Int8,
        says -> Text,
        cedar -> Text,
        enabled -> Bool,
        actor -> Text,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    purposes (id, version) {
        id -> Text,
        version -> Int8,
        name -> Text,
        description -> Text,
        lawful_basis -> Text,
        data_categories -> Jsonb,
        recipients -> Jsonb,
        valid_days -> Nullable<Int4>,
        enabled -> Bool,
        actor -> Text,
        created_at -> Timestamptz,
    }
}

diesel::allow_tables_to_appear_in_same_query!(
    checks,
    consent_applications,
    consent_expiries,
    consents,
    duties,
    duty_evidence,
    erasure_answers,
    erasure_names,
    erasures,
    heard_events,
    legal_holds,
    notices,
    pack_files,
    packs,
    policies,
    policy_versions,
    purposes
);
