//! The tables of `migrations/`. A test writes this file and compares it.

diesel::table! {
    accounts (id) {
        id -> Uuid,
        version -> Int8,
        correlation_id -> Uuid,
        name -> Text,
        #[sql_name = "type"]
        type_ -> Text,
        status -> Text,
        territory -> Nullable<Text>,
        parent_id -> Nullable<Uuid>,
        customer_id -> Nullable<Text>,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        owner -> Text,
        team -> Nullable<Text>,
        website -> Nullable<Text>,
    }
}

diesel::table! {
    activities (id) {
        id -> Uuid,
        entity -> Text,
        kind -> Text,
        summary -> Text,
        created_at -> Timestamptz,
        version -> Int8,
        body -> Nullable<Text>,
        author -> Text,
        due_at -> Nullable<Timestamptz>,
        done_at -> Nullable<Timestamptz>,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    contacts (id) {
        id -> Uuid,
        version -> Int8,
        correlation_id -> Uuid,
        name -> Text,
        email -> Nullable<Text>,
        phone -> Nullable<Text>,
        title -> Nullable<Text>,
        account_id -> Nullable<Uuid>,
        lead_id -> Nullable<Uuid>,
        do_not_contact -> Bool,
        owner -> Text,
        team -> Nullable<Text>,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    import_rows (import_id, line) {
        import_id -> Uuid,
        line -> Int4,
        key -> Nullable<Text>,
        data -> Nullable<Jsonb>,
        outcome -> Text,
        faults -> Nullable<Jsonb>,
        lead_id -> Nullable<Uuid>,
    }
}

diesel::table! {
    imports (id) {
        id -> Uuid,
        status -> Text,
        on_error -> Text,
        actor -> Text,
        owner -> Text,
        team -> Nullable<Text>,
        sees_all -> Bool,
        rows -> Int4,
        refused -> Int4,
        created -> Int4,
        updated -> Int4,
        unchanged -> Int4,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    lead_duplicates (id) {
        id -> Uuid,
        lead_id -> Uuid,
        other_id -> Uuid,
        score -> Float8,
        reasons -> Array<Text>,
        dismissed_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    lead_keys (key) {
        key -> Text,
        lead_id -> Uuid,
    }
}

diesel::table! {
    lead_merges (id) {
        id -> Uuid,
        survivor -> Uuid,
        merged -> Uuid,
        filled -> Array<Text>,
        opportunities -> Array<Uuid>,
        activities -> Array<Uuid>,
        contacts -> Array<Uuid>,
        merged_at -> Timestamptz,
        undone_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    leads (id) {
        id -> Uuid,
        version -> Int8,
        correlation_id -> Uuid,
        name -> Text,
        email -> Text,
        phone -> Nullable<Text>,
        company -> Nullable<Text>,
        source -> Nullable<Text>,
        budget -> Nullable<Numeric>,
        need -> Nullable<Text>,
        timeline -> Nullable<Text>,
        consent_purposes -> Array<Text>,
        owner -> Text,
        status -> Text,
        score -> Nullable<Float8>,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        team -> Nullable<Text>,
        authority -> Nullable<Text>,
        archived_at -> Nullable<Timestamptz>,
        merged_into -> Nullable<Uuid>,
        email_key -> Nullable<Text>,
        phone_key -> Nullable<Text>,
        name_key -> Nullable<Text>,
    }
}

diesel::table! {
    opportunities (id) {
        id -> Uuid,
        version -> Int8,
        correlation_id -> Uuid,
        lead_id -> Uuid,
        value -> Numeric,
        currency -> Text,
        stage -> Text,
        probability -> Float8,
        expected_close_date -> Nullable<Date>,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        name -> Nullable<Text>,
        owner -> Text,
        team -> Nullable<Text>,
        account_id -> Nullable<Uuid>,
        lost_reason -> Nullable<Text>,
        contact_id -> Nullable<Uuid>,
        closed_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    opportunity_stages (opportunity_id, version) {
        opportunity_id -> Uuid,
        version -> Int8,
        stage -> Text,
        entered_at -> Timestamptz,
        left_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    order_links (order_id) {
        order_id -> Uuid,
        entity -> Nullable<Text>,
    }
}

diesel::allow_tables_to_appear_in_same_query!(
    accounts,
    activities,
    contacts,
    import_rows,
    imports,
    lead_duplicates,
    lead_keys,
    lead_merges,
    leads,
    opportunities,
    opportunity_stages,
    order_links
);
