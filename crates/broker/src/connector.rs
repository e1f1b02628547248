use std::sync::Arc;
use std::time::Duration;

use bhiv_settings::Secret;
use bhiv_telemetry::metrics;
use futures_util::StreamExt as _;
use lapin::{Connection, ConnectionProperties, Event};
use tokio::sync::{Mutex, watch};
use tracing::{info, warn};
use url::Url;

use crate::Backoff;

/// A connection attempt that takes longer is given up.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// A broker that does not answer a goodbye keeps nobody longer.
pub(crate) const CLOSE_TIMEOUT: Duration = Duration::from_secs(5);

/// How a connection is doing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// Not there; why, if a try failed.
    Away(Option<String>),
    /// Open.
    Open,
    /// Open, but the broker takes no messages, for example because its disk is full.
    Blocked(String),
}

/// One connection to the broker that is opened again whenever it is gone, for as long as the process lives.
///
/// A service has two: a blocked broker stops publishers only, and consumers keep draining.
#[derive(Clone)]
pub struct Connector(Arc<Inner>);

struct Inner {
    url: Secret,
    name: String,
    current: Mutex<Option<Arc<Connection>>>,
    state: watch::Sender<State>,
}

impl std::fmt::Debug for Connector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Connector {} {:?}", self.0.name, *self.0.state.borrow())
    }
}

impl Connector {
    /// Connects when it is first asked. `name` is what the broker's operators see.
    pub fn new(url: &Secret, name: impl Into<String>) -> Self {
        Self(Arc::new(Inner {
            url: with_heartbeat(url),
            name: name.into(),
            current: Mutex::new(None),
            state: watch::Sender::new(State::Away(None)),
        }))
    }

    /// The open connection; waits until there is one, however long that takes. Whoever stops waiting breaks off
    /// the attempt that is under way, and the next one to ask begins another.
    pub async fn connection(&self) -> Arc<Connection> {
        let mut current = self.0.current.lock().await;
        if let Some(connection) = current.as_ref()
            && connection.status().connected()
        {
            return Arc::clone(connection);
        }
        let mut backoff = Backoff::reconnect();
        loop {
            let reason = match tokio::time::timeout(CONNECT_TIMEOUT, self.connect()).await {
                Ok(Ok(connection)) => {
                    info!(connection = %self.0.name, "connected to RabbitMQ");
                    let connection = Arc::new(connection);
                    *current = Some(Arc::clone(&connection));
                    return connection;
                }
                Ok(Err(error)) => error.to_string(),
                Err(_) => format!("no answer within {CONNECT_TIMEOUT:?}"),
            };
            warn!(connection = %self.0.name, reason, "waiting for RabbitMQ");
            self.0.state.send_replace(State::Away(Some(reason)));
            tokio::time::sleep(backoff.next_delay()).await;
        }
    }

    async fn connect(&self) -> Result<Connection, lapin::Error> {
        let properties = ConnectionProperties::default().with_connection_name(self.0.name.as_str().into());
        let connection = Connection::connect(self.0.url.expose(), properties).await?;
        self.0.state.send_replace(State::Open);
        let mut events = Box::pin(connection.events_listener());
        tokio::spawn(count_blocked_seconds(self.watch()));
        let inner = Arc::clone(&self.0);
        tokio::spawn(async move {
            while let Some(event) = events.next().await {
                let state = match event {
                    Event::Connected | Event::ConnectionUnblocked => State::Open,
                    Event::ConnectionBlocked(reason) => {
                        warn!(connection = %inner.name, reason, "RabbitMQ takes no messages");
                        State::Blocked(reason)
                    }
                    Event::Error(error) => State::Away(Some(error.to_string())),
                    _ => continue,
                };
                inner.state.send_replace(state);
            }
        });
        Ok(connection)
    }

    /// How the connection is doing now.
    pub fn state(&self) -> State {
        self.0.state.borrow().clone()
    }

    /// Follows how the connection is doing.
    pub fn watch(&self) -> watch::Receiver<State> {
        self.0.state.subscribe()
    }

    /// Closes the connection, if there is one.
    pub async fn close(&self) {
        if let Some(connection) = self.0.current.lock().await.take() {
            // A connection that is gone already is closed too.
            let _ = tokio::time::timeout(CLOSE_TIMEOUT, connection.close(200, "bye".into())).await;
        }
    }
}

/// Counts for how long the broker took no messages, until the connection is gone.
async fn count_blocked_seconds(mut state: watch::Receiver<State>) {
    let seconds = metrics::counter("broker_blocked_seconds", "Time for which RabbitMQ took no messages.");
    // From the first on: a series that begins with 1 has not increased for Prometheus.
    seconds.add(0, &[]);
    while matches!(*state.borrow_and_update(), State::Open | State::Blocked(_)) {
        let is_blocked = matches!(*state.borrow(), State::Blocked(_));
        tokio::select! {
            changed = state.changed() => if changed.is_err() { return },
            () = tokio::time::sleep(Duration::from_secs(1)), if is_blocked => seconds.add(1, &[]),
        }
    }
}

/// A dead peer is noticed after two missed beats; the broker's default of 60 s would be two minutes.
fn with_heartbeat(url: &Secret) -> Secret {
    match Url::parse(url.expose()) {
        Ok(mut parsed) if parsed.query().is_none() => {
            parsed.set_query(Some("heartbeat=10"));
            Secret::from(parsed.to_string())
        }
        _ => url.clone(),
    }
}
