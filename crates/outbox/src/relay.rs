//! Publishes the rows of the outbox, in every replica, one of them at a time.

mod floor;
mod leader;
mod metrics;
pub(crate) mod rows;
mod spans;

use std::pin::pin;
use std::time::Duration;

use bhiv_broker::{Backoff, Connector};
use bhiv_db::{Conn, Error};
use bhiv_events::Producer;
use bhiv_settings::Secret;
use bhiv_telemetry::metrics::{Gauge, gauge};
use diesel::sql_types::Bool;
use diesel_async::{AsyncConnection as _, RunQueryDsl as _};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::Wake;
use leader::{Ended, Leader};

/// How often a follower asks whether it can lead.
const CANDIDACY: Duration = Duration::from_secs(1);

/// How long a replica that gave up the lead stands back at least: longer than any other one waits to ask.
const REST: Duration = Duration::from_secs(2);

/// Wakes of other replicas are gathered for this long.
const COALESCE: Duration = Duration::from_millis(10);

/// What this replica's relay is doing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RelayState {
    /// Waiting for the database: why.
    Away(String),
    /// Another replica publishes, or may: this one cannot reach the broker.
    Follower,
    /// Publishes.
    Leader,
}

/// The relay of one replica.
#[derive(Debug)]
pub struct Relay {
    producer: Producer,
    database_url: Secret,
    connector: Connector,
    wake: Wake,
    state: watch::Sender<RelayState>,
    leads: Gauge<f64>,
}

impl Relay {
    /// Reads the outbox of `producer`, in `database_url`'s schema, and publishes over `connector`, a connection that is used
    /// for nothing else.
    pub fn new(producer: Producer, database_url: Secret, connector: Connector, wake: Wake) -> Self {
        let state = watch::Sender::new(RelayState::Away("not connected yet".to_owned()));
        let leads = gauge("outbox_leader", "1 in the replica that publishes the outbox, 0 in others.");
        leads.record(0.0, &[]);
        Self { producer, database_url, connector, wake, state, leads }
    }

    /// Follows what the relay is doing.
    pub fn watch(&self) -> watch::Receiver<RelayState> {
        self.state.subscribe()
    }

    /// Runs until `stop`; then finishes what is under way and gives up the lead.
    pub async fn run(self, stop: CancellationToken) {
        let mut backoff = Backoff::reconnect();
        let mut stands_back = false;
        while !stop.is_cancelled() {
            match self.session(&stop, &mut backoff, stands_back).await {
                Ok(Ended::Stopped) => {}
                Ok(Ended::OutOfReach) => {
                    warn!("RabbitMQ is out of reach: another replica may publish the outbox");
                    self.be(RelayState::Follower);
                    stands_back = true;
                }
                Err(error) => {
                    warn!(%error, "the relay lost its database session");
                    self.be(RelayState::Away(error.to_string()));
                    stands_back = false;
                    tokio::select! {
                        () = tokio::time::sleep(backoff.next_delay()) => {}
                        () = stop.cancelled() => {}
                    }
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
    async fn session(
        &self,
        stop: &CancellationToken,
        backoff: &mut Backoff,
        stands_back: bool,
    ) -> Result<Ended, Error> {
        let mut conn = Conn::establish(self.database_url.expose())
            .await
            .map_err(|error| Error::Unavailable(error.to_string()))?;
        // Nobody waits for the disk here: a delete that is lost when the server dies is an event that is sent
        // again, and recognised.
        diesel::sql_query("SET synchronous_commit = off").execute(&mut conn).await?;
        backoff.reset();
        if stands_back {
            match stop.run_until_cancelled(self.stand_back(&mut conn)).await {
                Some(rested) => rested?,
                None => return Ok(Ended::Stopped),
            }
        }
        while !take_the_lead(&mut conn).await? {
            self.be(RelayState::Follower);
            let candidacy = CANDIDACY.mul_f64(0.5 + jitter());
            tokio::select! {
                () = tokio::time::sleep(candidacy) => {}
                () = self.wake.woken() => pass_on(&mut conn).await?,
                () = stop.cancelled() => return Ok(Ended::Stopped),
            }
        }
        info!("this replica publishes the outbox");
        self.be(RelayState::Leader);
        Leader::new(self.producer, conn, &self.connector, &self.wake).run(stop).await
    }

    /// Lets others try to lead, until there is a connection to the broker again.
    async fn stand_back(&self, conn: &mut Conn) -> Result<(), Error> {
        // Not anew at every wake: that would break off each attempt to connect.
        let mut rested = pin!(async { tokio::join!(tokio::time::sleep(REST), self.connector.connection()) });
        loop {
            tokio::select! {
                _ = &mut rested => return Ok(()),
                () = self.wake.woken() => pass_on(conn).await?,
            }
        }
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

/// Tells the leader of rows that this process has written.
async fn pass_on(conn: &mut Conn) -> Result<(), Error> {
    tokio::time::sleep(COALESCE).await;
    notify(conn).await
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
