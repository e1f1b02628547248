//! Publishes the rows of the outbox, in every replica, one of them at a time.

mod floor;
mod leader;
mod metrics;
pub(crate) mod rows;

use std::time::Duration;

use bhiv_broker::{Backoff, Connector};
use bhiv_db::{Conn, Error};
use bhiv_settings::Secret;
use bhiv_telemetry::metrics::{Gauge, gauge};
use diesel::sql_types::Bool;
use diesel_async::{AsyncConnection as _, RunQueryDsl as _};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::Wake;
use leader::Leader;

/// How often a follower asks whether it can lead.
const CANDIDACY: Duration = Duration::from_secs(1);

/// Wakes of other replicas are gathered for this long.
const COALESCE: Duration = Duration::from_millis(10);

/// What this replica's relay is doing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RelayState {
    /// Waiting for the database: why.
    Away(String),
    /// Another replica publishes.
    Follower,
    /// Publishes.
    Leader,
}

/// The relay of one replica.
#[derive(Debug)]
pub struct Relay {
    database_url: Secret,
    connector: Connector,
    wake: Wake,
    state: watch::Sender<RelayState>,
    leads: Gauge<f64>,
}

impl Relay {
    /// Reads the outbox of `database_url`'s schema and publishes over `connector`, a connection that is used
    /// for nothing else.
    pub fn new(database_url: Secret, connector: Connector, wake: Wake) -> Self {
        let state = watch::Sender::new(RelayState::Away("not connected yet".to_owned()));
        let leads = gauge("outbox_leader", "1 in the replica that publishes the outbox, 0 in others.");
        leads.record(0.0, &[]);
        Self { database_url, connector, wake, state, leads }
    }

    /// Follows what the relay is doing.
    pub fn watch(&self) -> watch::Receiver<RelayState> {
        self.state.subscribe()
    }

    /// Runs until `stop`; then finishes what is under way and gives up the lead.
    pub async fn run(self, stop: CancellationToken) {
        let mut backoff = Backoff::reconnect();
        while !stop.is_cancelled() {
            let ended = self.session(&stop, &mut backoff).await;
            if let Err(error) = ended {
                warn!(%error, "the relay lost its database session");
                self.be(RelayState::Away(error.to_string()));
                tokio::select! {
                    () = tokio::time::sleep(backoff.next_delay()) => {}
                    () = stop.cancelled() => {}
                }
            }
        }
        self.connector.close().await;
    }

    fn be(&self, state: RelayState) {
        self.leads.record(f64::from(u8::from(state == RelayState::Leader)), &[]);
        self.state.send_replace(state);
    }

    /// One database session: the lead, and everything that the leader reads and deletes, is tied to it. A
    /// leader whose session is gone cannot delete what its successor publishes.
    async fn session(&self, stop: &CancellationToken, backoff: &mut Backoff) -> Result<(), Error> {
        let mut conn = Conn::establish(self.database_url.expose())
            .await
            .map_err(|error| Error::Unavailable(error.to_string()))?;
        // Nobody waits for the disk here: a delete that is lost when the server dies is an event that is sent
        // again, and recognised.
        diesel::sql_query("SET synchronous_commit = off").execute(&mut conn).await?;
        backoff.reset();
        while !take_the_lead(&mut conn).await? {
            self.be(RelayState::Follower);
            let candidacy = CANDIDACY.mul_f64(0.5 + jitter());
            tokio::select! {
                () = tokio::time::sleep(candidacy) => {}
                () = self.wake.woken() => {
                    tokio::time::sleep(COALESCE).await;
                    notify(&mut conn).await?;
                }
                () = stop.cancelled() => return Ok(()),
            }
        }
        info!("this replica publishes the outbox");
        self.be(RelayState::Leader);
        Leader::new(conn, &self.connector, &self.wake).run(stop).await
    }
}

fn jitter() -> f64 {
    Backoff::new(Duration::from_secs(1), Duration::from_secs(1)).next_delay().as_secs_f64()
}

async fn take_the_lead(conn: &mut Conn) -> Result<bool, Error> {
    #[derive(diesel::QueryableByName)]
    struct Lead {
        #[diesel(sql_type = Bool)]
        taken: bool,
    }
    let lead: Lead = diesel::sql_query(
        "SELECT pg_try_advisory_lock(hashtextextended(current_schema() || '.outbox.0', 0)) AS taken",
    )
    .get_result(conn)
    .await?;
    Ok(lead.taken)
}

/// Outside of any transaction: within one, NOTIFY takes a lock that every commit of the cluster queues for.
async fn notify(conn: &mut Conn) -> Result<(), Error> {
    diesel::sql_query("SELECT pg_notify(current_schema() || '.outbox', '')").execute(conn).await?;
    Ok(())
}

async fn listen(conn: &mut Conn) -> Result<(), Error> {
    #[derive(diesel::QueryableByName)]
    struct Listen {
        #[diesel(sql_type = diesel::sql_types::Text)]
        sql: String,
    }
    let listen: Listen =
        diesel::sql_query("SELECT format('LISTEN %I', current_schema() || '.outbox') AS sql")
            .get_result(conn)
            .await?;
    diesel::sql_query(listen.sql).execute(conn).await?;
    Ok(())
}
