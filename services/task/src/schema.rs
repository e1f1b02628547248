//! The tables of `migrations/`. A test writes this file and compares it.

diesel::table! {
    approvals (id) {
        id -> Uuid,
        version -> Int8,
        correlation_id -> Uuid,
        run_id -> Uuid,
        workflow -> Text,
        question -> Text,
        approvers -> Array<Text>,
        status -> Text,
        expires_at -> Nullable<Timestamptz>,
        decided_by -> Nullable<Text>,
        decided_at -> Nullable<Timestamptz>,
        comment -> Nullable<Text>,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    feedback (id) {
        id -> Uuid,
        version -> Int8,
        correlation_id -> Uuid,
        order_id -> Uuid,
        customer -> Text,
        rating -> Int2,
        comment -> Nullable<Text>,
        categories -> Array<Text>,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    heard_events (event_id) {
        event_id -> Uuid,
        name -> Text,
        event -> Jsonb,
        data -> Jsonb,
        heard_at -> Timestamptz,
    }
}

diesel::table! {
    recurring_tasks (id) {
        id -> Uuid,
        version -> Int8,
        cron -> Text,
        timezone -> Text,
        task -> Jsonb,
        enabled -> Bool,
        next_at -> Nullable<Timestamptz>,
        last_at -> Nullable<Timestamptz>,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    reviews (id) {
        id -> Uuid,
        version -> Int8,
        correlation_id -> Uuid,
        task_id -> Uuid,
        reviewer_id -> Text,
        assignee_id -> Nullable<Text>,
        status -> Text,
        comments -> Nullable<Text>,
        compliance -> Nullable<Float8>,
        efficiency -> Nullable<Float8>,
        quality -> Nullable<Float8>,
        timeliness -> Nullable<Float8>,
        dhi_score -> Nullable<Float8>,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    service_levels (priority) {
        priority -> Text,
        version -> Int8,
        respond_within_minutes -> Nullable<Int4>,
        resolve_within_minutes -> Nullable<Int4>,
        escalate_after_minutes -> Nullable<Int4>,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    task_transitions (task_id, version) {
        task_id -> Uuid,
        version -> Int8,
        from_status -> Text,
        to_status -> Text,
        at -> Timestamptz,
        actor -> Text,
    }
}

diesel::table! {
    tasks (id) {
        id -> Uuid,
        version -> Int8,
        correlation_id -> Uuid,
        title -> Text,
        description -> Nullable<Text>,
        assignee_id -> Nullable<Text>,
        priority -> Text,
        due_date -> Nullable<Timestamptz>,
        reference -> Nullable<Text>,
        status -> Text,
        workflow_id -> Nullable<Uuid>,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        labels -> Array<Text>,
        checklist -> Jsonb,
        depends_on -> Array<Uuid>,
        completed_at -> Nullable<Timestamptz>,
        overdue_at -> Nullable<Timestamptz>,
        escalate_at -> Nullable<Timestamptz>,
        respond_by -> Nullable<Timestamptz>,
        responded_at -> Nullable<Timestamptz>,
        breached_at -> Nullable<Timestamptz>,
        recurring_id -> Nullable<Uuid>,
    }
}

diesel::table! {
    workflow_runs (id) {
        id -> Uuid,
        workflow_id -> Uuid,
        workflow_version -> Int8,
        event_id -> Uuid,
        event_type -> Text,
        correlation_id -> Uuid,
        outcome -> Text,
        effects -> Array<Text>,
        error -> Nullable<Text>,
        created_at -> Timestamptz,
        attempts -> Int4,
        steps -> Jsonb,
        waits_for -> Nullable<Text>,
        wake_at -> Nullable<Timestamptz>,
        plan -> Nullable<Jsonb>,
    }
}

diesel::table! {
    workflows (id) {
        id -> Uuid,
        version -> Int8,
        name -> Text,
        trigger -> Text,
        condition -> Nullable<Text>,
        actions -> Jsonb,
        enabled -> Bool,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::allow_tables_to_appear_in_same_query!(
    approvals,
    feedback,
    heard_events,
    recurring_tasks,
    reviews,
    service_levels,
    task_transitions,
    tasks,
    workflow_runs,
    workflows
);
