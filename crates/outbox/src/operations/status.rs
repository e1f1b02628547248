use bhiv_db::Conn;
use chrono::{DateTime, Utc};
use diesel::sql_types::{BigInt, Bool, Double, Integer, Nullable, Text, Timestamptz};
use diesel::{OptionalExtension as _, QueryResult, QueryableByName};
use diesel_async::RunQueryDsl;
use serde::Serialize;

/// Waiting rows are counted up to this many.
pub const MOST_WAITING: i64 = 10_000;

/// How the tables of one service are doing.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Status {
    /// Events on their way to the broker, exactly; one more than [`MOST_WAITING`] stands for any more than that.
    pub waiting: i64,
    /// Age of the oldest of them, in seconds; absent without any.
    pub oldest_seconds: Option<f64>,
    /// Events that the broker refused.
    pub parked_out: i64,
    /// Messages that could not be handled yet, one per handler.
    pub parked_in: i64,
    /// Time since the first of them failed first, in seconds; absent without any.
    pub parked_in_oldest_seconds: Option<f64>,
    /// Rows of the outbox that vacuum has not cleared away yet, as the statistics have it.
    pub dead_tuples: i64,
    /// Messages that the inbox remembers, as the last analyze estimated; absent before the first one.
    pub inbox_rows: Option<i64>,
    /// The relay that publishes; absent when no replica leads.
    pub leader: Option<Leader>,
}

/// The database session that holds the lead.
#[derive(Clone, Debug, PartialEq, Serialize, QueryableByName)]
pub struct Leader {
    /// What the session calls itself, or else its role.
    #[diesel(sql_type = Text)]
    pub name: String,
    /// Its process at the server.
    #[diesel(sql_type = Integer)]
    pub pid: i32,
    /// When the session began; it may have led for less long.
    #[diesel(sql_type = Timestamptz)]
    pub since: DateTime<Utc>,
}

#[derive(QueryableByName)]
struct Counts {
    #[diesel(sql_type = BigInt)]
    waiting: i64,
    #[diesel(sql_type = Nullable<Double>)]
    oldest_seconds: Option<f64>,
    #[diesel(sql_type = BigInt)]
    parked_out: i64,
    #[diesel(sql_type = BigInt)]
    parked_in: i64,
    #[diesel(sql_type = Nullable<Double>)]
    parked_in_oldest_seconds: Option<f64>,
    #[diesel(sql_type = BigInt)]
    dead_tuples: i64,
    #[diesel(sql_type = Nullable<BigInt>)]
    inbox_rows: Option<i64>,
}

/// How the tables of the connection's schema are doing; nothing when they are not there.
///
/// # Errors
/// When the database fails.
pub async fn status(conn: &mut Conn) -> QueryResult<Option<Status>> {
    if !is_set_up(conn).await? {
        return Ok(None);
    }
    let counts: Counts = diesel::sql_query(
        "SELECT (SELECT count(*) FROM (SELECT FROM outbox LIMIT $1 + 1) AS counted) AS waiting,
                (SELECT extract(epoch FROM clock_timestamp() - created_at)::float8
                 FROM outbox ORDER BY id LIMIT 1) AS oldest_seconds,
                (SELECT count(*) FROM outbox_parked) AS parked_out,
                (SELECT count(*) FROM inbox_parked) AS parked_in,
                (SELECT extract(epoch FROM clock_timestamp() - min(first_failed_at))::float8
                 FROM inbox_parked) AS parked_in_oldest_seconds,
                coalesce(pg_stat_get_dead_tuples('outbox'::regclass), 0) AS dead_tuples,
                (SELECT reltuples::bigint FROM pg_class
                 WHERE oid = 'inbox'::regclass AND reltuples >= 0) AS inbox_rows",
    )
    .bind::<BigInt, _>(MOST_WAITING)
    .get_result(conn)
    .await?;
    Ok(Some(Status {
        waiting: counts.waiting,
        oldest_seconds: counts.oldest_seconds,
        parked_out: counts.parked_out,
        parked_in: counts.parked_in,
        parked_in_oldest_seconds: counts.parked_in_oldest_seconds,
        dead_tuples: counts.dead_tuples,
        inbox_rows: counts.inbox_rows,
        leader: leader(conn).await?,
    }))
}

/// Whether the tables of this crate are in the connection's schema.
///
/// # Errors
/// When the database fails.
pub async fn is_set_up(conn: &mut Conn) -> QueryResult<bool> {
    #[derive(QueryableByName)]
    struct Found {
        #[diesel(sql_type = Bool)]
        found: bool,
    }
    let found: Found =
        diesel::sql_query("SELECT to_regclass('outbox') IS NOT NULL AS found").get_result(conn).await?;
    Ok(found.found)
}

/// Who has the lock that the relay takes: one bigint, which `pg_locks` shows in two halves.
pub(super) async fn leader(conn: &mut Conn) -> QueryResult<Option<Leader>> {
    diesel::sql_query(
        "SELECT coalesce(nullif(activity.application_name, ''), activity.usename, '?') AS name,
                activity.pid AS pid, activity.backend_start AS since
         FROM pg_locks AS lock JOIN pg_stat_activity AS activity USING (pid)
         WHERE lock.locktype = 'advisory' AND lock.granted AND lock.objsubid = 1
           AND lock.database = (SELECT oid FROM pg_database WHERE datname = current_database())
           AND (lock.classid::bigint << 32 | lock.objid::bigint)
               = hashtextextended(current_schema() || '.outbox.0', 0)",
    )
    .get_result(conn)
    .await
    .optional()
}
