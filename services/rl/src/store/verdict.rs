use bhiv_db::Conn;
use bhiv_events::compliance::Rule;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Json;
use crate::schema::verdicts;

/// A violation that compliance found, and nobody has lifted.
#[derive(Clone, Debug, PartialEq, Queryable, Selectable, Insertable, AsChangeset, Serialize, Deserialize)]
#[diesel(table_name = verdicts)]
pub struct Verdict {
    /// What the event was about, for example `order/0190...`.
    pub entity: String,
    /// The event that broke a rule.
    pub event_type: String,
    /// The check that found it.
    pub check_id: Uuid,
    /// The rules that it broke.
    pub rules: Json<Vec<Rule>>,
    /// When rl heard of it.
    pub heard_at: DateTime<Utc>,
}

/// Takes note of a violation; an older one of the same kind gives way to it.
pub async fn insert(conn: &mut Conn, verdict: &Verdict) -> QueryResult<()> {
    let upsert = diesel::insert_into(verdicts::table)
        .values(verdict)
        .on_conflict((verdicts::entity, verdicts::event_type))
        .do_update()
        .set(verdict);
    diesel::query_dsl::methods::FilterDsl::filter(upsert, verdicts::check_id.lt(verdict.check_id))
        .execute(conn)
        .await
        .map(drop)
}

/// A later event of the same kind about the same thing was found compliant.
pub async fn lift_older(conn: &mut Conn, entity: &str, event_type: &str, check_id: Uuid) -> QueryResult<()> {
    let of_both = verdicts::entity.eq(entity).and(verdicts::event_type.eq(event_type));
    let older = verdicts::table.filter(of_both.and(verdicts::check_id.lt(check_id)));
    diesel::delete(older).execute(conn).await.map(drop)
}

/// Lifts a violation; nothing if there is none.
pub async fn lift(conn: &mut Conn, check_id: Uuid) -> QueryResult<Option<Verdict>> {
    diesel::delete(verdicts::table.filter(verdicts::check_id.eq(check_id)))
        .returning(Verdict::as_select())
        .get_result(conn)
        .await
        .optional()
}

/// The violations in any of these.
pub async fn about(conn: &mut Conn, entities: &[String]) -> QueryResult<Vec<Verdict>> {
    verdicts::table
        .filter(verdicts::entity.eq_any(entities))
        .order((verdicts::entity, verdicts::event_type))
        .select(Verdict::as_select())
        .load(conn)
        .await
}

/// Up to `limit` violations, the newest first, beginning below the check `after`; of this entity, if one is named.
pub async fn list(
    conn: &mut Conn,
    entity: Option<&str>,
    after: Option<Uuid>,
    limit: i64,
) -> QueryResult<Vec<Verdict>> {
    let mut query = verdicts::table.into_boxed();
    if let Some(entity) = entity {
        query = query.filter(verdicts::entity.eq(entity.to_owned()));
    }
    if let Some(after) = after {
        query = query.filter(verdicts::check_id.lt(after));
    }
    query.order(verdicts::check_id.desc()).limit(limit).select(Verdict::as_select()).load(conn).await
}

/// How many violations there are; in this entity, if one is named.
pub async fn count(conn: &mut Conn, entity: Option<&str>) -> QueryResult<i64> {
    let mut query = verdicts::table.into_boxed();
    if let Some(entity) = entity {
        query = query.filter(verdicts::entity.eq(entity.to_owned()));
    }
    query.count().get_result(conn).await
}

/// Forgets the violations in these; answers how many.
pub async fn forget(conn: &mut Conn, entities: &[String]) -> QueryResult<usize> {
    diesel::delete(verdicts::table.filter(verdicts::entity.eq_any(entities))).execute(conn).await
}
