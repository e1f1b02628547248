use bhiv_db::Conn;
use chrono::{DateTime, Utc};
use diesel::dsl::count_star;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use crate::domain::kind::LogKind;
use crate::schema::entries;

/// How many entries there are of one kind and one event type.
#[derive(Clone, Debug, PartialEq, Eq, Queryable)]
pub struct Tally {
    /// Events or audit rows.
    pub kind: LogKind,
    /// Public name of the event.
    pub event_type: String,
    /// How many.
    pub count: i64,
}

/// Counts the entries at `since` or later and before `until`.
pub async fn tally(
    conn: &mut Conn,
    since: Option<DateTime<Utc>>,
    until: Option<DateTime<Utc>>,
) -> QueryResult<Vec<Tally>> {
    let mut query = entries::table
        .group_by((entries::kind, entries::event_type))
        .select((entries::kind, entries::event_type, count_star()))
        .into_boxed();
    if let Some(since) = since {
        query = query.filter(entries::timestamp.ge(since));
    }
    if let Some(until) = until {
        query = query.filter(entries::timestamp.lt(until));
    }
    query.load(conn).await
}
