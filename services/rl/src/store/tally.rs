use bhiv_db::Conn;
use diesel::dsl::{avg, count, count_star};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use crate::domain::analytics::Tally;
use crate::schema::decisions;

/// All decisions, counted by kind and action.
pub async fn by_kind_and_action(conn: &mut Conn) -> QueryResult<Vec<Tally>> {
    let counted =
        (decisions::kind, decisions::action, count_star(), count(decisions::reward), avg(decisions::reward));
    let rows: Vec<(String, String, i64, i64, Option<f64>)> = decisions::table
        .group_by((decisions::kind, decisions::action))
        .order((decisions::kind, decisions::action))
        .select(counted)
        .load(conn)
        .await?;
    let tally = |(kind, action, decisions, outcomes, mean_reward)| Tally {
        kind,
        action,
        decisions,
        outcomes,
        mean_reward,
    };
    Ok(rows.into_iter().map(tally).collect())
}
