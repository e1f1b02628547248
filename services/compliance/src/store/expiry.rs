//! Consents that stand and will end.

use bhiv_db::Conn;
use bhiv_types::Purpose;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::schema::consent_expiries;

/// A consent that stands and will end.
#[derive(Clone, Debug, PartialEq, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = consent_expiries)]
pub struct Expiry {
    pub consent_id: Uuid,
    pub subject: String,
    pub purpose: Purpose,
    pub expires_at: DateTime<Utc>,
}

/// A consent stands until then.
pub async fn put(conn: &mut Conn, expiry: &Expiry) -> QueryResult<()> {
    let row = diesel::insert_into(consent_expiries::table).values(expiry);
    row.on_conflict(consent_expiries::consent_id).do_update().set(expiry).execute(conn).await.map(drop)
}

/// A consent does not stand, or stands for ever.
pub async fn delete(conn: &mut Conn, consent_id: Uuid) -> QueryResult<()> {
    diesel::delete(consent_expiries::table.find(consent_id)).execute(conn).await.map(drop)
}

/// Up to `limit` consents that have ended by then and were not recorded as ended yet.
pub async fn due(conn: &mut Conn, now: DateTime<Utc>, limit: usize) -> QueryResult<Vec<Expiry>> {
    consent_expiries::table
        .filter(consent_expiries::expires_at.le(now))
        .order((consent_expiries::expires_at, consent_expiries::consent_id))
        .limit(i64::try_from(limit).unwrap_or(i64::MAX))
        .select(Expiry::as_select())
        .load(conn)
        .await
}

/// Until when a consent stands, if it stands and will end.
pub async fn of(conn: &mut Conn, consent_id: Uuid) -> QueryResult<Option<DateTime<Utc>>> {
    consent_expiries::table.find(consent_id).select(consent_expiries::expires_at).first(conn).await.optional()
}
