//! Finding and removing what tells who a person is.

use bhiv_db::Conn;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::schema::proofs;

#[derive(QueryableByName)]
struct Id {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
}

fn ids(rows: Vec<Id>) -> Vec<Uuid> {
    rows.into_iter().map(|row| row.id).collect()
}

/// Takes the customer out of these orders, of those of these opportunities, and of those of the customers of these names,
/// their earlier states included; answers which they are. Who forgets an order's deliveries has locked the order so.
pub async fn unname_orders(
    conn: &mut Conn,
    orders: &[Uuid],
    opportunities: &[Uuid],
    customers: &[String],
    now: DateTime<Utc>,
) -> QueryResult<Vec<Uuid>> {
    let orders = diesel::sql_query(
        "UPDATE orders SET customer_id = 'erased', status_reason = NULL, version = version + 1, updated_at = $4
         WHERE id IN (SELECT id FROM orders WHERE id = ANY($1) OR opportunity_id = ANY($2)
                          OR lower(customer_id) IN (SELECT lower(name) FROM unnest($3) AS name)
                      ORDER BY id FOR UPDATE)
         RETURNING id",
    )
    .bind::<Array<SqlUuid>, _>(orders)
    .bind::<Array<SqlUuid>, _>(opportunities)
    .bind::<Array<Text>, _>(customers)
    .bind::<Timestamptz, _>(now)
    .load(conn)
    .await
    .map(ids)?;
    diesel::sql_query(
        r#"UPDATE history SET state = state || '{"customer_id": "erased", "status_reason": null}',
                              previous = previous || '{"customer_id": "erased", "status_reason": null}'
           WHERE entity IN (SELECT 'order/' || id FROM unnest($1) AS id)"#,
    )
    .bind::<Array<SqlUuid>, _>(&orders)
    .execute(conn)
    .await?;
    Ok(orders)
}

/// Takes out of the deliveries of these orders where they go; answers which they are.
pub async fn unname_deliveries(
    conn: &mut Conn,
    orders: &[Uuid],
    now: DateTime<Utc>,
) -> QueryResult<Vec<Uuid>> {
    diesel::sql_query(
        "UPDATE deliveries SET address = '[erased]', location = NULL, special_instructions = NULL,
                               status_reason = NULL, version = version + 1, updated_at = $2
         WHERE id IN (SELECT id FROM deliveries WHERE order_id = ANY($1) ORDER BY id FOR UPDATE)
         RETURNING id",
    )
    .bind::<Array<SqlUuid>, _>(orders)
    .bind::<Timestamptz, _>(now)
    .load(conn)
    .await
    .map(ids)
}

/// Takes out of what happened to these deliveries where it was and what was noted.
pub async fn unplace_events(conn: &mut Conn, deliveries: &[Uuid]) -> QueryResult<usize> {
    diesel::sql_query(
        "UPDATE tracking_events SET place = NULL, location = NULL, note = NULL WHERE delivery_id = ANY($1)
         AND (place IS NOT NULL OR location IS NOT NULL OR note IS NOT NULL)",
    )
    .bind::<Array<SqlUuid>, _>(deliveries)
    .execute(conn)
    .await
}

/// Removes the pictures of these deliveries.
pub async fn remove_proofs(conn: &mut Conn, deliveries: &[Uuid]) -> QueryResult<usize> {
    diesel::delete(proofs::table.filter(proofs::delivery_id.eq_any(deliveries))).execute(conn).await
}

/// Somebody we work with, as they were.
#[derive(Debug, QueryableByName)]
pub struct Found {
    #[diesel(sql_type = SqlUuid)]
    pub id: Uuid,
    #[diesel(sql_type = Nullable<Text>)]
    pub name: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub email: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub phone: Option<String>,
}

/// Takes name and number of these couriers out. They get no more deliveries.
pub async fn unname_couriers(conn: &mut Conn, ids: &[Uuid], now: DateTime<Utc>) -> QueryResult<Vec<Found>> {
    diesel::sql_query(
        "WITH found AS (SELECT id, name, phone FROM couriers WHERE id = ANY($1) ORDER BY id FOR UPDATE)
         UPDATE couriers SET name = '[erased]', phone = NULL, active = false, version = version + 1, updated_at = $2
         FROM found WHERE couriers.id = found.id
         RETURNING found.id, found.name, NULL AS email, found.phone",
    )
    .bind::<Array<SqlUuid>, _>(ids)
    .bind::<Timestamptz, _>(now)
    .load(conn)
    .await
}

/// Takes e-mail address and number of these suppliers out, and of those with these addresses; the name of those that are
/// named themselves too.
pub async fn unname_suppliers(
    conn: &mut Conn,
    ids: &[Uuid],
    emails: &[String],
    now: DateTime<Utc>,
) -> QueryResult<Vec<Found>> {
    diesel::sql_query(
        "WITH found AS (SELECT id, name, email, phone, id = ANY($1) AS is_named FROM suppliers
                        WHERE id = ANY($1) OR lower(email) = ANY($2) ORDER BY id FOR UPDATE)
         UPDATE suppliers SET name = CASE WHEN is_named THEN '[erased]' ELSE suppliers.name END,
                              email = NULL, phone = NULL, version = version + 1, updated_at = $3
         FROM found WHERE suppliers.id = found.id
         RETURNING found.id, CASE WHEN is_named THEN found.name END AS name, found.email, found.phone",
    )
    .bind::<Array<SqlUuid>, _>(ids)
    .bind::<Array<Text>, _>(emails)
    .bind::<Timestamptz, _>(now)
    .load(conn)
    .await
}

/// How many scans, proofs and movements of stock say that it was one of these.
pub async fn count_work(conn: &mut Conn, actors: &[String]) -> QueryResult<usize> {
    #[derive(QueryableByName)]
    struct Count {
        #[diesel(sql_type = BigInt)]
        count: i64,
    }
    if actors.is_empty() {
        return Ok(0);
    }
    let of = |table| format!("(SELECT count(*) FROM {table} WHERE actor = ANY($1))");
    let counts = ["tracking_events", "proofs", "stock_movements"].map(of).join(" + ");
    let count = diesel::sql_query(format!("SELECT {counts} AS count")).bind::<Array<Text>, _>(actors);
    Ok(usize::try_from(count.get_result::<Count>(conn).await?.count).unwrap_or(usize::MAX))
}
