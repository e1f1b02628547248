use bhiv_db::Conn;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::schema::consent_applications;

/// From when a module acted by what was said.
#[derive(Clone, Debug, PartialEq, Queryable, Selectable, Insertable)]
#[diesel(table_name = consent_applications)]
pub struct TakenUp {
    pub consent_id: Uuid,
    pub version: i64,
    pub module: String,
    pub applied_at: DateTime<Utc>,
}

/// Writes it, unless it is there.
pub async fn note(conn: &mut Conn, applied: &TakenUp) -> QueryResult<()> {
    diesel::insert_into(consent_applications::table)
        .values(applied)
        .on_conflict_do_nothing()
        .execute(conn)
        .await
        .map(drop)
}

/// All that modules said of these consents.
pub async fn of(conn: &mut Conn, consents: &[Uuid]) -> QueryResult<Vec<TakenUp>> {
    consent_applications::table
        .filter(consent_applications::consent_id.eq_any(consents))
        .select(TakenUp::as_select())
        .load(conn)
        .await
}
