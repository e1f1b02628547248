use bhiv_db::Conn;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use diesel_async::RunQueryDsl;
use serde::Serialize;
use utoipa::ToSchema;

use crate::schema::snapshots;

/// What a policy had become with a version.
#[derive(
    Clone, Debug, PartialEq, Queryable, QueryableByName, Selectable, Insertable, Serialize, ToSchema,
)]
#[diesel(table_name = snapshots)]
pub struct Snapshot {
    /// The kind of decision.
    #[serde(skip)]
    pub kind: String,
    /// The version.
    pub version: i64,
    /// What made it: `learned`, `forgot`, `created`, `changed`, `promoted`, `rolled_back`.
    pub cause: String,
    /// Who decided from then on: `apprentice`, the baseline, or `live`, the policy.
    pub mode: String,
    /// How many outcomes it had learned from.
    pub observations: i64,
    /// SHA-256 of its statistics, in hexadecimal digits.
    pub hash: String,
    /// How many outcomes this version added.
    pub outcomes: i64,
    /// Their mean reward; null without any.
    pub mean_reward: Option<f64>,
    /// The mean square of what they missed of their predictions; null without any.
    pub squared_error: Option<f64>,
    /// The lower bound of what it earned more than the baseline per decision, as far as was known.
    pub uplift_lower: f64,
    /// The upper bound.
    pub uplift_upper: f64,
    /// When.
    pub created_at: DateTime<Utc>,
}

/// Writes a snapshot.
pub async fn insert(conn: &mut Conn, snapshot: &Snapshot) -> QueryResult<()> {
    diesel::insert_into(snapshots::table).values(snapshot).execute(conn).await.map(drop)
}

/// The snapshot of a version, if there is one.
pub async fn find(conn: &mut Conn, kind: &str, version: i64) -> QueryResult<Option<Snapshot>> {
    snapshots::table.find((kind, version)).select(Snapshot::as_select()).first(conn).await.optional()
}

/// Up to about `most` snapshots of a kind, the oldest first, evenly taken from all of them; the newest one is there.
pub async fn curve(conn: &mut Conn, kind: &str, most: i64) -> QueryResult<Vec<Snapshot>> {
    diesel::sql_query(
        "SELECT * FROM (
             SELECT *, row_number() OVER (ORDER BY version DESC) - 1 AS place, count(*) OVER () AS total
             FROM snapshots WHERE kind = $1
         ) AS numbered
         WHERE place % greatest(1, (total + $2 - 1) / $2) = 0
         ORDER BY version",
    )
    .bind::<Text, _>(kind)
    .bind::<BigInt, _>(most)
    .load(conn)
    .await
}
