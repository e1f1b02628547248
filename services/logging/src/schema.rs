//! The tables of `migrations/`. A test writes this file and compares it.

diesel::table! {
    audit_checkpoints (size) {
        size -> Int8,
        note -> Text,
        signed_at -> Timestamptz,
    }
}

diesel::table! {
    audit_keys (id) {
        id -> Text,
        jwk -> Jsonb,
        since -> Timestamptz,
    }
}

diesel::table! {
    audit_leaves (leaf_index) {
        leaf_index -> Int8,
        entry_id -> Uuid,
        leaf_hash -> Bytea,
    }
}

diesel::table! {
    audit_nodes (level, node_index) {
        level -> Int4,
        node_index -> Int8,
        node_hash -> Bytea,
    }
}

diesel::table! {
    audit_waiting (entry_id) {
        entry_id -> Uuid,
    }
}

diesel::table! {
    entries (id, kind) {
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

diesel::table! {
    partitions (name) {
        name -> Text,
        kind -> Text,
        since -> Timestamptz,
        until -> Timestamptz,
        from_id -> Uuid,
        to_id -> Uuid,
        dropped_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    retention (kind) {
        kind -> Text,
        days -> Nullable<Int4>,
        legal_hold -> Bool,
        reason -> Nullable<Text>,
        version -> Int8,
        changed_at -> Timestamptz,
        changed_by -> Text,
    }
}

diesel::table! {
    saved_searches (id) {
        id -> Uuid,
        owner -> Text,
        name -> Text,
        query -> Jsonb,
        shared -> Bool,
        version -> Int8,
        created_at -> Timestamptz,
        changed_at -> Timestamptz,
    }
}

diesel::table! {
    shipping_lease (name) {
        name -> Text,
        holder -> Nullable<Uuid>,
        until -> Timestamptz,
    }
}

diesel::table! {
    shipping_refused (entry_id) {
        entry_id -> Uuid,
        reason -> Text,
        refused_at -> Timestamptz,
    }
}

diesel::table! {
    shipping_waiting (entry_id) {
        entry_id -> Uuid,
    }
}

diesel::table! {
    subject_keys (id) {
        id -> Uuid,
        subject -> Text,
        correlation_id -> Uuid,
        wrapped -> Nullable<Bytea>,
        created_at -> Timestamptz,
        erased_at -> Nullable<Timestamptz>,
        erasure_id -> Nullable<Uuid>,
    }
}

diesel::allow_tables_to_appear_in_same_query!(
    audit_checkpoints,
    audit_keys,
    audit_leaves,
    audit_nodes,
    audit_waiting,
    entries,
    partitions,
    retention,
    saved_searches,
    shipping_lease,
    shipping_refused,
    shipping_waiting,
    subject_keys
);
