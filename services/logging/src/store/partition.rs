//! Months of entries, which are made ahead and dropped whole.

use bhiv_db::Conn;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::domain::ids::EntryId;
use crate::domain::kind::LogKind;
use crate::schema::partitions;

/// A month of one kind of entries.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable, Serialize, ToSchema)]
#[diesel(table_name = partitions)]
pub struct Partition {
    /// Its table.
    pub name: String,
    /// Of which kind.
    pub kind: LogKind,
    /// The first time in it.
    pub since: DateTime<Utc>,
    /// The first time that is not in it.
    pub until: DateTime<Utc>,
    /// The lowest id in it.
    #[serde(skip)]
    pub from_id: EntryId,
    /// The lowest id that is not in it.
    #[serde(skip)]
    pub to_id: EntryId,
    /// When it was dropped.
    pub dropped_at: Option<DateTime<Utc>>,
}

#[derive(QueryableByName)]
struct Made {
    #[diesel(sql_type = Bool)]
    made: bool,
}

#[derive(QueryableByName)]
struct First {
    #[diesel(sql_type = Nullable<SqlUuid>)]
    id: Option<Uuid>,
}

#[derive(QueryableByName)]
struct Estimate {
    #[diesel(sql_type = BigInt)]
    rows: i64,
}

/// Makes the partition of the month of `at`, unless there is one; answers whether there was none.
pub async fn make(conn: &mut Conn, kind: LogKind, at: DateTime<Utc>) -> QueryResult<bool> {
    let query = diesel::sql_query("SELECT make_partition($1, $2) AS made");
    let made: Made =
        query.bind::<Text, _>(kind.to_string()).bind::<Timestamptz, _>(at).get_result(conn).await?;
    Ok(made.made)
}

/// The lowest id from `from` on that is in no month's partition.
pub async fn first_outside(conn: &mut Conn, kind: LogKind, from: Uuid) -> QueryResult<Option<Uuid>> {
    let query =
        format!("SELECT (SELECT id FROM entries_{kind}_default WHERE id >= $1 ORDER BY id LIMIT 1) AS id");
    let first: First = diesel::sql_query(query).bind::<SqlUuid, _>(from).get_result(conn).await?;
    Ok(first.id)
}

/// All there are and were, the oldest first.
pub async fn all(conn: &mut Conn) -> QueryResult<Vec<Partition>> {
    partitions::table
        .order((partitions::kind, partitions::since))
        .select(Partition::as_select())
        .load(conn)
        .await
}

/// Those of a kind that were dropped.
pub async fn dropped(conn: &mut Conn, kind: LogKind) -> QueryResult<Vec<Partition>> {
    let dropped =
        partitions::table.filter(partitions::kind.eq(kind)).filter(partitions::dropped_at.is_not_null());
    dropped.select(Partition::as_select()).load(conn).await
}

/// The oldest of a kind that is there and ends at `before` or earlier.
pub async fn oldest(conn: &mut Conn, kind: LogKind, before: DateTime<Utc>) -> QueryResult<Option<Partition>> {
    partitions::table
        .filter(partitions::kind.eq(kind))
        .filter(partitions::dropped_at.is_null())
        .filter(partitions::until.le(before))
        .order(partitions::since)
        .select(Partition::as_select())
        .first(conn)
        .await
        .optional()
}

/// How many rows it has, as PostgreSQL estimates them: nobody reads it for that.
pub async fn estimate(conn: &mut Conn, partition: &Partition) -> QueryResult<i64> {
    let query = "SELECT greatest(coalesce(max(reltuples), 0), 0)::bigint AS rows FROM pg_class \
                 WHERE oid = to_regclass($1)";
    let estimate: Estimate =
        diesel::sql_query(query).bind::<Text, _>(&partition.name).get_result(conn).await?;
    Ok(estimate.rows)
}

/// Drops its table; that it was there stays known.
pub async fn drop(conn: &mut Conn, partition: &Partition, now: DateTime<Utc>) -> QueryResult<()> {
    // Its name was made of a kind and a month; see make_partition.
    diesel::sql_query(format!("DROP TABLE IF EXISTS {}", partition.name)).execute(conn).await?;
    diesel::update(partitions::table.find(&partition.name))
        .set(partitions::dropped_at.eq(now))
        .execute(conn)
        .await?;
    Ok(())
}
