use std::collections::HashSet;
use std::pin::pin;
use std::time::Duration;

use bhiv_broker::{Connector, Fate, Message, Publisher, State, crash};
use bhiv_db::{Conn, Error};
use bhiv_events::Producer;
use futures_util::StreamExt as _;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::{error, warn};

use super::floor::Floor;
use super::metrics::Metrics;
use super::{rows, spans};
use crate::Wake;

/// Rows that are read, published and deleted together.
const BATCH: i64 = 500;

/// How long the leader waits at most before it looks at the table again.
const POLL: Duration = Duration::from_millis(500);

/// A leader whose broker answers nothing for this long lets another replica try: that one may reach another node
/// of the cluster.
const REACH: Duration = Duration::from_secs(5);

/// Delays before a refused row is tried again: 5 s, doubled each time, at most 10 minutes.
const FIRST_RETRY: Duration = Duration::from_secs(5);
const LAST_RETRY: Duration = Duration::from_mins(10);

/// Why a lead ended although its database session is well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    /// The process stops.
    Stopped,
    /// The broker is out of reach from here.
    OutOfReach,
}

/// The one relay that publishes.
pub(super) struct Leader<'r> {
    conn: Conn,
    connector: &'r Connector,
    wake: &'r Wake,
    publisher: Option<Publisher>,
    /// Since when something is to be published and the broker says nothing of it.
    unanswered_since: Option<Instant>,
    floor: Floor,
    /// Rows that were under way when the channel was lost are sent one by one: one of them may be the reason.
    suspects: HashSet<i64>,
    metrics: Metrics,
}

impl<'r> Leader<'r> {
    pub(super) fn new(producer: Producer, conn: Conn, connector: &'r Connector, wake: &'r Wake) -> Self {
        Self {
            conn,
            connector,
            wake,
            publisher: None,
            unanswered_since: None,
            floor: Floor::default(),
            suspects: HashSet::new(),
            metrics: Metrics::new(producer),
        }
    }

    /// Publishes until `stop`, until the broker is out of reach, or until the database session is lost. The
    /// session ends with it in any case, and the lead with the session.
    pub(super) async fn run(mut self, stop: &CancellationToken) -> Result<Ended, Error> {
        super::listen(&mut self.conn).await?;
        let mut looked_around = None;
        while !stop.is_cancelled() {
            let published = self.pass(stop).await?;
            if looked_around.is_none_or(|last: Instant| last.elapsed() >= POLL) {
                looked_around = Some(Instant::now());
                self.floor.advance(&mut self.conn).await?;
                self.retry_refused(stop).await?;
            }
            if self.is_out_of_reach() {
                return Ok(Ended::OutOfReach);
            }
            if published == 0 {
                self.wait(stop).await?;
            }
        }
        Ok(Ended::Stopped)
    }

    /// A broker that says that it is blocked is there.
    fn is_out_of_reach(&self) -> bool {
        self.unanswered_since.is_some_and(|since| since.elapsed() >= REACH)
            && !matches!(self.connector.state(), State::Blocked(_))
    }

    /// Waits for new rows: told by this process, by another replica, or found at the next look.
    async fn wait(&mut self, stop: &CancellationToken) -> Result<(), Error> {
        let mut notifications = pin!(self.conn.notifications_stream());
        tokio::select! {
            () = self.wake.woken() => Ok(()),
            notification = notifications.next() => match notification {
                Some(Ok(_)) => Ok(()),
                Some(Err(error)) => Err(error.into()),
                None => Err(Error::Unavailable("the database session ended".to_owned())),
            },
            () = tokio::time::sleep(POLL) => Ok(()),
            () = stop.cancelled() => Ok(()),
        }
    }

    /// Publishes the next rows and answers how many of them are settled.
    async fn pass(&mut self, stop: &CancellationToken) -> Result<usize, Error> {
        let mut batch = rows::next(&mut self.conn, self.floor.get(), BATCH).await?;
        if let Some(first_suspect) = batch.iter().position(|row| self.suspects.contains(&row.id)) {
            batch.truncate(if first_suspect == 0 { 1 } else { first_suspect });
        }
        if batch.is_empty() {
            self.suspects.clear();
            self.unanswered_since = None;
            return Ok(0);
        }
        let ids: Vec<i64> = batch.iter().map(|row| row.id).collect();
        let mut messages: Vec<_> = batch.into_iter().map(rows::Row::into_message).collect();
        let Some(fates) = self.publish(&mut messages, stop).await else { return Ok(0) };

        let mut settled = ids.len();
        let mut delivered = Vec::with_capacity(ids.len());
        let mut keys = Vec::with_capacity(ids.len());
        for ((id, message), fate) in ids.into_iter().zip(&messages).zip(fates) {
            match fate {
                Fate::Delivered => {
                    delivered.push(id);
                    keys.push(message.routing_key.as_str());
                }
                Fate::Refused(reason) => {
                    error!(row = id, reason, "the broker refused an event; it is parked");
                    rows::park(&mut self.conn, id, &reason, FIRST_RETRY).await?;
                    self.metrics.refused();
                    self.suspects.remove(&id);
                }
                Fate::Unknown => {
                    settled -= 1;
                    self.suspects.insert(id);
                }
            }
        }
        crash::point("relay.confirmed");
        rows::delete(&mut self.conn, &delivered).await?;
        crash::point("relay.deleted");
        self.metrics.published(keys);
        for id in &delivered {
            self.suspects.remove(id);
        }
        Ok(settled)
    }

    /// `None` when the process stops while the broker is away, or when the broker is out of reach.
    async fn publish(&mut self, messages: &mut [Message], stop: &CancellationToken) -> Option<Vec<Fate>> {
        let since = *self.unanswered_since.get_or_insert_with(Instant::now);
        let publisher = match &mut self.publisher {
            Some(publisher) if !publisher.is_lost() => publisher,
            _ => {
                let opened = tokio::select! {
                    opened = Publisher::open(self.connector) => opened,
                    () = patience(self.connector, since) => return None,
                    () = stop.cancelled() => return None,
                };
                match opened {
                    Ok(publisher) => self.publisher.insert(publisher),
                    Err(error) => {
                        warn!(%error, "no publishing channel");
                        return Some(vec![Fate::Unknown; messages.len()]);
                    }
                }
            }
        };
        let started = Instant::now();
        let _spans = spans::of(messages);
        let fates = tokio::select! {
            fates = publisher.publish(messages) => fates,
            // A broker that confirms nothing must not keep the process from ending; the rows stay.
            () = grace(stop) => return None,
        };
        self.metrics.batch(started.elapsed());
        if fates.contains(&Fate::Unknown) {
            self.publisher = None;
        }
        if fates.iter().any(|fate| *fate != Fate::Unknown) {
            self.unanswered_since = None;
        }
        Some(fates)
    }

    async fn retry_refused(&mut self, stop: &CancellationToken) -> Result<(), Error> {
        for parked in rows::due(&mut self.conn, 20).await? {
            let (id, attempts) = (parked.id, parked.attempts);
            let mut messages = [parked.into_message()];
            let Some(fates) = self.publish(&mut messages, stop).await else { return Ok(()) };
            match fates.into_iter().next() {
                Some(Fate::Delivered) => {
                    rows::unpark(&mut self.conn, id).await?;
                    self.metrics.published(messages.iter().map(|message| message.routing_key.as_str()));
                }
                Some(Fate::Refused(reason)) => {
                    let doublings = u32::try_from(attempts).unwrap_or(0).min(16);
                    let delay = FIRST_RETRY.saturating_mul(2_u32.pow(doublings)).min(LAST_RETRY);
                    rows::park_again(&mut self.conn, id, &reason, delay).await?;
                }
                Some(Fate::Unknown) | None => return Ok(()),
            }
        }
        Ok(())
    }
}

/// Ends when the broker is out of reach since then.
async fn patience(connector: &Connector, since: Instant) {
    tokio::time::sleep_until(since + REACH).await;
    // The connector lives as long as its relay.
    let _ = connector.watch().wait_for(|state| !matches!(state, State::Blocked(_))).await;
}

/// Ends 5 s after the process was told to stop.
async fn grace(stop: &CancellationToken) {
    stop.cancelled().await;
    tokio::time::sleep(Duration::from_secs(5)).await;
}
