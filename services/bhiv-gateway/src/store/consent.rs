use bhiv_db::Conn;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text, Timestamptz};
use diesel_async::RunQueryDsl;

use crate::schema::consents;

/// The state of a consent that is none.
const REVOKED: &str = "revoked";

/// What a person last said to a purpose.
#[derive(Clone, Debug, PartialEq, Queryable, Selectable)]
#[diesel(table_name = consents)]
pub struct Consent {
    /// Who, for example `lead/0190...`.
    pub person: String,
    /// To what.
    pub purpose: String,
    /// `granted` or `revoked`.
    pub state: String,
    /// Where it stands among the changes; grows.
    pub place: i64,
}

impl Consent {
    /// Whether they said no.
    pub fn is_no(&self) -> bool {
        self.state == REVOKED
    }
}

/// Notes what `person` said; `sequence` is the consent's version. One transaction at a time does, so that a reader
/// who has seen a place has seen all before it. Answers whether another answer counts from here: a first yes changes nothing.
pub async fn note(
    conn: &mut Conn,
    (person, purpose): (&str, &str),
    state: &str,
    sequence: i64,
    at: DateTime<Utc>,
) -> QueryResult<bool> {
    diesel::sql_query("SELECT pg_advisory_xact_lock(hashtextextended(current_schema() || '.consents', 0))")
        .execute(conn)
        .await?;
    let before: Option<String> =
        consents::table.find((person, purpose)).select(consents::state).first(conn).await.optional()?;
    diesel::sql_query(
        "INSERT INTO consents (person, purpose, state, sequence, place, updated_at)
         VALUES ($1, $2, $3, $4, nextval('consents_place'), $5)
         ON CONFLICT (person, purpose) DO UPDATE SET state = EXCLUDED.state, sequence = EXCLUDED.sequence,
           place = EXCLUDED.place, updated_at = EXCLUDED.updated_at",
    )
    .bind::<Text, _>(person)
    .bind::<Text, _>(purpose)
    .bind::<Text, _>(state)
    .bind::<BigInt, _>(sequence)
    .bind::<Timestamptz, _>(at)
    .execute(conn)
    .await?;
    Ok(state == REVOKED || before.as_deref() == Some(REVOKED))
}

/// Up to `limit` consents that changed after the place `after`, in order.
pub async fn after(conn: &mut Conn, after: i64, limit: i64) -> QueryResult<Vec<Consent>> {
    consents::table
        .filter(consents::place.gt(after))
        .order(consents::place)
        .limit(limit)
        .select(Consent::as_select())
        .load(conn)
        .await
}

/// As [`after`], those that are revoked alone.
pub async fn revoked_after(conn: &mut Conn, after: i64, limit: i64) -> QueryResult<Vec<Consent>> {
    consents::table
        .filter(consents::place.gt(after).and(consents::state.eq(REVOKED)))
        .order(consents::place)
        .limit(limit)
        .select(Consent::as_select())
        .load(conn)
        .await
}

/// The highest place so far; 0 without one.
pub async fn last(conn: &mut Conn) -> QueryResult<i64> {
    let last: Option<i64> =
        consents::table.select(diesel::dsl::max(consents::place)).get_result(conn).await?;
    Ok(last.unwrap_or(0))
}
