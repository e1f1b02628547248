use std::time::Duration;

use bhiv_broker::Connector;
use bhiv_broker::dead_letters::waiting;
use bhiv_db::{Conn, Error, Pool};
use bhiv_telemetry::metrics::{self, Gauge};
use diesel::sql_types::{BigInt, Double};
use diesel_async::RunQueryDsl as _;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tracing::warn;

/// How often it is measured.
const EVERY: Duration = Duration::from_secs(5);

/// How long the broker may take to say what it holds. It is away for much longer than that, or not at all.
const PATIENCE: Duration = Duration::from_secs(2);

/// What waits in the tables, in the words of the gauges.
#[derive(Debug, diesel::QueryableByName)]
struct Backlog {
    /// Ids from the oldest row to the newest: a rolled-back insert leaves a gap that is counted too.
    #[diesel(sql_type = BigInt)]
    waiting: i64,
    #[diesel(sql_type = Double)]
    oldest_seconds: f64,
    #[diesel(sql_type = BigInt)]
    parked_out: i64,
    #[diesel(sql_type = BigInt)]
    parked_in: i64,
    #[diesel(sql_type = Double)]
    parked_in_oldest_seconds: f64,
    #[diesel(sql_type = BigInt)]
    dead_rows: i64,
}

struct Gauges {
    waiting: Gauge<f64>,
    oldest_seconds: Gauge<f64>,
    parked_out: Gauge<f64>,
    parked_in: Gauge<f64>,
    parked_in_oldest_seconds: Gauge<f64>,
    dead_rows: Gauge<f64>,
}

/// Measures what waits in the outbox, in both parking places, and in the queue of dead letters, until `stop`.
///
/// It has a task of its own in every replica, because the relay itself stands still when the broker does, which
/// is when the figures matter. All replicas measure the same tables: take the maximum of theirs.
pub async fn measure_backlog(pool: Pool, broker: Connector, dead_letters: String, stop: CancellationToken) {
    let letters = metrics::gauge("dead_letters", "Messages that were given up and wait for an operator.");
    let gauges = Gauges {
        waiting: metrics::gauge("outbox_waiting", "Events that are not published yet."),
        oldest_seconds: metrics::gauge("outbox_oldest_seconds", "Age of the oldest event that waits."),
        parked_out: metrics::gauge(
            "outbox_parked",
            "Events that the broker refused and that are tried again.",
        ),
        parked_in: metrics::gauge("inbox_parked", "Messages that could not be handled yet."),
        parked_in_oldest_seconds: metrics::gauge(
            "inbox_parked_oldest_seconds",
            "For how long the oldest of them could not be handled.",
        ),
        dead_rows: metrics::gauge(
            "outbox_dead_rows",
            "Deleted rows of the outbox that vacuum has not removed.",
        ),
    };
    while !stop.is_cancelled() {
        match read(&pool).await {
            Ok(backlog) => gauges.show(&backlog),
            Err(error) => warn!(%error, "the backlog is unknown"),
        }
        let asked = tokio::select! {
            asked = timeout(PATIENCE, waiting(&broker, &dead_letters)) => asked,
            // Whoever stops does not wait for a broker that is away.
            () = stop.cancelled() => return,
        };
        match asked {
            Ok(Ok(count)) => letters.record(count.into(), &[]),
            Ok(Err(error)) => warn!(%error, "it is unknown what was given up"),
            // The broker is away, and others say so.
            Err(_) => {}
        }
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            () = stop.cancelled() => {}
        }
    }
}

impl Gauges {
    #[expect(clippy::cast_precision_loss, reason = "a gauge is a float")]
    fn show(&self, backlog: &Backlog) {
        self.waiting.record(backlog.waiting as f64, &[]);
        self.oldest_seconds.record(backlog.oldest_seconds, &[]);
        self.parked_out.record(backlog.parked_out as f64, &[]);
        self.parked_in.record(backlog.parked_in as f64, &[]);
        self.parked_in_oldest_seconds.record(backlog.parked_in_oldest_seconds, &[]);
        self.dead_rows.record(backlog.dead_rows as f64, &[]);
    }
}

async fn read(pool: &Pool) -> Result<Backlog, Error> {
    let mut conn = pool.get().await?;
    Ok(query(&mut conn).await?)
}

/// Counts the outbox by ids instead of rows, which stays quick with a million of them.
async fn query(conn: &mut Conn) -> diesel::QueryResult<Backlog> {
    diesel::sql_query(
        "WITH oldest AS (SELECT id, created_at FROM outbox ORDER BY id LIMIT 1)
         SELECT coalesce((SELECT last_value - oldest.id + 1 FROM outbox_id_seq, oldest), 0) AS waiting,
                coalesce((SELECT extract(epoch FROM clock_timestamp() - created_at)::float8 FROM oldest), 0)
                  AS oldest_seconds,
                (SELECT count(*) FROM outbox_parked) AS parked_out,
                (SELECT count(*) FROM inbox_parked) AS parked_in,
                coalesce((SELECT extract(epoch FROM clock_timestamp() - min(first_failed_at))::float8
                          FROM inbox_parked), 0) AS parked_in_oldest_seconds,
                coalesce((SELECT n_dead_tup FROM pg_stat_user_tables
                          WHERE schemaname = current_schema() AND relname = 'outbox'), 0) AS dead_rows",
    )
    .get_result(conn)
    .await
}
