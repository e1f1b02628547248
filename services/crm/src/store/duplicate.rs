//! Leads that look like one person.

use bhiv_auth::Reach;
use bhiv_db::{Conn, keyset, statement};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::domain::ids::LeadId;
use crate::schema::{lead_duplicates, leads};
use crate::store::lead::Lead;

/// Two leads that look like one person.
#[derive(Clone, Debug, PartialEq, Queryable, Selectable, Insertable, Serialize, Deserialize, ToSchema)]
#[diesel(table_name = lead_duplicates)]
pub struct Duplicate {
    /// Id of the pair.
    pub id: Uuid,
    /// The one.
    pub lead_id: LeadId,
    /// The other one, which was there before.
    pub other_id: LeadId,
    /// How sure it is, 0 to 1.
    pub score: f64,
    /// What they have in common: `email`, `phone`, `name`, `company`.
    pub reasons: Vec<String>,
}

// Every lead that comes in asks. Of each kind of likeness the ten newest are looked at: a mailbox that hundreds share says
// little of each.
statement! {
    struct Alike<'a> { id: LeadId } -> (SqlUuid);
    "WITH it AS (SELECT id, email_key, phone_key, name_key FROM leads WHERE id = " [id: SqlUuid] ")
     (SELECT o.id FROM leads o WHERE o.email_key = (SELECT email_key FROM it) AND o.id <> (SELECT id FROM it)
       AND o.merged_into IS NULL AND o.archived_at IS NULL ORDER BY o.id DESC LIMIT 10)
     UNION
     (SELECT o.id FROM leads o WHERE o.phone_key = (SELECT phone_key FROM it) AND o.id <> (SELECT id FROM it)
       AND o.merged_into IS NULL AND o.archived_at IS NULL ORDER BY o.id DESC LIMIT 10)
     UNION
     (SELECT o.id FROM leads o WHERE o.name_key = (SELECT name_key FROM it) AND o.id <> (SELECT id FROM it)
       AND o.merged_into IS NULL AND o.archived_at IS NULL ORDER BY o.id DESC LIMIT 10)"
}

/// Leads that may be the same person as this one, by an index each.
pub async fn candidates(conn: &mut Conn, id: LeadId) -> QueryResult<Vec<Lead>> {
    let found: Vec<LeadId> = Alike::new(id).load(conn).await?;
    if found.is_empty() {
        return Ok(Vec::new());
    }
    leads::table.filter(leads::id.eq_any(found)).select(Lead::as_select()).load(conn).await
}

/// Writes pairs; those that are there already, or were dismissed, stay as they are.
pub async fn insert(conn: &mut Conn, pairs: &[Duplicate]) -> QueryResult<()> {
    let insert = diesel::insert_into(lead_duplicates::table).values(pairs);
    insert.on_conflict_do_nothing().execute(conn).await.map(drop)
}

/// The open pairs of a lead, the surest first.
pub async fn of(conn: &mut Conn, id: LeadId) -> QueryResult<Vec<Duplicate>> {
    lead_duplicates::table
        .filter(lead_duplicates::lead_id.eq(id).or(lead_duplicates::other_id.eq(id)))
        .filter(lead_duplicates::dismissed_at.is_null())
        .order((lead_duplicates::score.desc(), lead_duplicates::id))
        .limit(100)
        .select(Duplicate::as_select())
        .load(conn)
        .await
}

/// Up to `limit` open pairs whose leads somebody may see, the surest first, beginning after the place.
pub async fn list(
    conn: &mut Conn,
    reach: &Reach,
    after: Option<(f64, Uuid)>,
    limit: i64,
) -> QueryResult<Vec<Duplicate>> {
    let pairs = lead_duplicates::table
        .inner_join(leads::table.on(leads::id.eq(lead_duplicates::lead_id)))
        .filter(lead_duplicates::dismissed_at.is_null())
        .into_boxed();
    let pairs = within!(pairs, leads, reach);
    let pairs = keyset!(pairs, lead_duplicates::score, lead_duplicates::id, true, after);
    pairs.limit(limit).select(Duplicate::as_select()).load(conn).await
}

/// How many open pairs they see.
pub async fn count(conn: &mut Conn, reach: &Reach) -> QueryResult<i64> {
    let pairs = lead_duplicates::table
        .inner_join(leads::table.on(leads::id.eq(lead_duplicates::lead_id)))
        .filter(lead_duplicates::dismissed_at.is_null())
        .into_boxed();
    within!(pairs, leads, reach).count().get_result(conn).await
}

/// They are two, or one by now: the pairs of these leads are open no more. Answers how many were.
pub async fn dismiss(
    conn: &mut Conn,
    one: LeadId,
    other: Option<LeadId>,
    at: DateTime<Utc>,
) -> QueryResult<usize> {
    let sql = "UPDATE lead_duplicates SET dismissed_at = $1 WHERE dismissed_at IS NULL
               AND (lead_id = $2 AND (other_id = ANY ($3) OR $3 = '{}') OR other_id = $2 AND (lead_id = ANY ($3) OR $3 = '{}'))";
    let others: Vec<LeadId> = other.into_iter().collect();
    diesel::sql_query(sql)
        .bind::<diesel::sql_types::Timestamptz, _>(at)
        .bind::<SqlUuid, _>(one)
        .bind::<Array<SqlUuid>, _>(others)
        .execute(conn)
        .await
}
