//! Leads that look like one person.

use bhiv_auth::Reach;
use bhiv_db::{Conn, keyset};
use chrono::{DateTime, Utc};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::{Array, Nullable, Text, Uuid as SqlUuid};
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

/// A lead that may be the same person as another one: what tells people apart.
#[derive(Debug, Queryable)]
pub struct Candidate {
    /// Which lead.
    pub id: LeadId,
    /// The person's name.
    pub name: String,
    /// Their e-mail address.
    pub email: String,
    /// Their phone number.
    pub phone: Option<String>,
    /// Their company.
    pub company: Option<String>,
}

/// A write of a lead that returns [`KEYS`], and the question which others may be the same person: every lead that comes
/// in asks, so it is one statement. Of each kind of likeness the ten newest are looked at: a mailbox that hundreds share
/// says little of each.
#[derive(Debug)]
struct Alike<T>(T);

impl<T: QueryFragment<Pg>> QueryFragment<Pg> for Alike<T> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("WITH it AS (");
        self.0.walk_ast(out.reborrow())?;
        out.push_sql(")");
        let mut union = "";
        for key in ["email_key", "phone_key", "name_key"] {
            out.push_sql(union);
            out.push_sql("(SELECT o.id, o.name, o.email, o.phone, o.company FROM leads o WHERE o.");
            out.push_sql(key);
            out.push_sql(" = (SELECT ");
            out.push_sql(key);
            out.push_sql(
                " FROM it) AND o.id <> (SELECT id FROM it) AND o.merged_into IS NULL AND o.archived_at IS NULL
                 ORDER BY o.id DESC LIMIT 10)",
            );
            union = " UNION ";
        }
        Ok(())
    }
}

impl<T> Query for Alike<T> {
    type SqlType = (SqlUuid, Text, Text, Nullable<Text>, Nullable<Text>);
}

impl<T: QueryId> QueryId for Alike<T> {
    type QueryId = Alike<T::QueryId>;
    const HAS_STATIC_QUERY_ID: bool = T::HAS_STATIC_QUERY_ID;
}

const KEYS: (leads::id, leads::email_key, leads::phone_key, leads::name_key) =
    (leads::id, leads::email_key, leads::phone_key, leads::name_key);

/// Writes a new lead; answers which leads may be the same person, by an index each.
pub async fn insert_lead(conn: &mut Conn, lead: &Lead) -> QueryResult<Vec<Candidate>> {
    Alike(diesel::insert_into(leads::table).values(lead).returning(KEYS)).load(conn).await
}

/// Writes a lead that was changed; answers as [`insert_lead`] does.
pub async fn update_lead(conn: &mut Conn, lead: &Lead) -> QueryResult<Vec<Candidate>> {
    Alike(diesel::update(lead).set(lead).returning(KEYS)).load(conn).await
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
