//! Decisions with their outcomes, as policies are judged by them.

use bhiv_db::Conn;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use crate::domain::decision::Judged;
use crate::domain::drift::Seen;
use crate::domain::evaluation::Outcome;
use crate::domain::facts::Facts;
use crate::schema::decisions;
use crate::store::Json;

/// The newest decisions of a kind with outcomes, up to `limit`; those rewarded since a time, if one is named.
pub async fn evaluated(
    conn: &mut Conn,
    kind: &str,
    since: Option<DateTime<Utc>>,
    limit: i64,
) -> QueryResult<Vec<Outcome>> {
    let mut query = decisions::table
        .filter(decisions::kind.eq(kind.to_owned()))
        .filter(decisions::reward.is_not_null())
        .into_boxed();
    if let Some(since) = since {
        query = query.filter(decisions::rewarded_at.ge(since));
    }
    let rows: Vec<(Json<Vec<Judged>>, String, f64)> = query
        .order((decisions::rewarded_at.desc(), decisions::id.desc()))
        .limit(limit)
        .select((decisions::candidates, decisions::action, decisions::reward.assume_not_null()))
        .load(conn)
        .await?;
    let outcome =
        |(candidates, action, reward): (Json<_>, _, _)| Outcome { candidates: candidates.0, action, reward };
    Ok(rows.into_iter().map(outcome).collect())
}

/// The newest decisions of a kind with outcomes, up to `limit`, the newest first.
pub async fn compared(conn: &mut Conn, kind: &str, limit: i64) -> QueryResult<Vec<Seen>> {
    let rows: Vec<(Json<Facts>, f64, f64)> = decisions::table
        .filter(decisions::kind.eq(kind))
        .filter(decisions::reward.is_not_null())
        .filter(decisions::forgotten_at.is_null())
        .order((decisions::rewarded_at.desc(), decisions::id.desc()))
        .limit(limit)
        .select((decisions::context, decisions::score, decisions::reward.assume_not_null()))
        .load(conn)
        .await?;
    Ok(rows.into_iter().map(|(context, score, reward)| Seen { context: context.0, score, reward }).collect())
}
