//! The tables of `migrations/`. A test writes this file and compares it.

diesel::table! {
    couriers (id) {
        id -> Uuid,
        version -> Int8,
        correlation_id -> Uuid,
        name -> Text,
        phone -> Nullable<Text>,
        capacity -> Int4,
        shift -> Jsonb,
        cost_per_km -> Numeric,
        cost_per_hour -> Numeric,
        active -> Bool,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    deliveries (id) {
        id -> Uuid,
        version -> Int8,
        correlation_id -> Uuid,
        order_id -> Uuid,
        tracking_number -> Text,
        delivery_date -> Date,
        window -> Nullable<Jsonb>,
        address -> Text,
        location -> Nullable<Jsonb>,
        special_instructions -> Nullable<Text>,
        priority -> Text,
        status -> Text,
        status_reason -> Nullable<Text>,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        load -> Int4,
        courier_id -> Nullable<Uuid>,
        eta -> Nullable<Time>,
        timezone -> Nullable<Text>,
        promised_until -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    order_items (order_id, line) {
        order_id -> Uuid,
        line -> Int4,
        sku -> Text,
        quantity -> Int4,
        price -> Numeric,
        backordered -> Int4,
        shipped -> Int4,
        returned -> Int4,
    }
}

diesel::table! {
    orders (id) {
        id -> Uuid,
        version -> Int8,
        correlation_id -> Uuid,
        opportunity_id -> Nullable<Uuid>,
        customer_id -> Text,
        total -> Numeric,
        currency -> Text,
        priority -> Text,
        status -> Text,
        status_reason -> Nullable<Text>,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    products (id) {
        id -> Uuid,
        version -> Int8,
        correlation_id -> Uuid,
        sku -> Text,
        name -> Text,
        unit -> Nullable<Text>,
        price -> Nullable<Numeric>,
        currency -> Text,
        active -> Bool,
        supplier_id -> Nullable<Uuid>,
        reorder_quantity -> Nullable<Int8>,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    proofs (id) {
        id -> Uuid,
        delivery_id -> Uuid,
        kind -> Text,
        received_by -> Nullable<Text>,
        media_type -> Text,
        size -> Int4,
        picture -> Bytea,
        actor -> Text,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    purchase_orders (id) {
        id -> Uuid,
        version -> Int8,
        correlation_id -> Uuid,
        supplier_id -> Uuid,
        sku -> Text,
        location -> Text,
        quantity -> Int8,
        received -> Int8,
        status -> Text,
        expected_on -> Nullable<Date>,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    reservations (order_id, line, stock_id) {
        order_id -> Uuid,
        line -> Int4,
        stock_id -> Uuid,
        quantity -> Int4,
        shipped -> Int4,
    }
}

diesel::table! {
    route_plans (id) {
        id -> Uuid,
        version -> Int8,
        correlation_id -> Uuid,
        status -> Text,
        progress -> Int4,
        ask -> Jsonb,
        result -> Nullable<Jsonb>,
        fault -> Nullable<Text>,
        claimed_until -> Nullable<Timestamptz>,
        attempts -> Int4,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    stock (id) {
        id -> Uuid,
        version -> Int8,
        correlation_id -> Uuid,
        product_id -> Text,
        location -> Text,
        on_hand -> Int8,
        reserved -> Int8,
        reorder_level -> Int8,
        change_reason -> Nullable<Text>,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    stock_movements (id) {
        id -> Uuid,
        stock_id -> Uuid,
        kind -> Text,
        on_hand -> Int8,
        reserved -> Int8,
        reference -> Nullable<Text>,
        reason -> Nullable<Text>,
        actor -> Text,
        at -> Timestamptz,
    }
}

diesel::table! {
    suppliers (id) {
        id -> Uuid,
        version -> Int8,
        correlation_id -> Uuid,
        name -> Text,
        email -> Nullable<Text>,
        phone -> Nullable<Text>,
        lead_time_days -> Int4,
        active -> Bool,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    tracking_events (id) {
        id -> Uuid,
        delivery_id -> Uuid,
        kind -> Text,
        at -> Timestamptz,
        place -> Nullable<Text>,
        location -> Nullable<Jsonb>,
        note -> Nullable<Text>,
        actor -> Text,
    }
}

diesel::allow_tables_to_appear_in_same_query!(
    couriers,
    deliveries,
    order_items,
    orders,
    products,
    proofs,
    purchase_orders,
    reservations,
    route_plans,
    stock,
    stock_movements,
    suppliers,
    tracking_events
);
