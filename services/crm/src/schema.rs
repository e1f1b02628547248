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
    }
}

diesel::table! {
    activities (id) {
        id -> Uuid,
        entity -> Text,
        kind -> Text,
        summary -> Text,
        created_at -> Timestamptz,
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
    }
}

diesel::allow_tables_to_appear_in_same_query!(accounts, activities, leads, opportunities);
