use std::collections::HashMap;
use std::time::Duration;

use bhiv_broker::Backoff;
use bhiv_ledger::Row;
use bhiv_outbox::{Command, Origin};
use bhiv_service::Context;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::commands::ship::{NoteShipped, TakeLease};
use crate::elasticsearch::{Elasticsearch, NotShipped, Shipped};
use crate::store::{entry, shipping};

/// Entries that are shipped with one request, at most.
const AT_A_TIME: usize = 500;

/// Ships entries, until `stop`. One that was shipped and not noted, because the replica ended in between, is shipped
/// again: Elasticsearch knows it by its id.
pub struct Shipper {
    /// What it works with.
    pub context: Context,
    /// Where to.
    pub to: Elasticsearch,
    /// How often it is looked for entries.
    pub every: Duration,
}

impl Shipper {
    pub async fn run(self, stop: CancellationToken) {
        let holder = self.context.clock().id();
        let mut backoff = Backoff::reconnect();
        let mut at_a_time = AT_A_TIME;
        while !stop.is_cancelled() {
            let pause = match self.ship(holder, at_a_time).await {
                Ok(true) => {
                    backoff.reset();
                    at_a_time = AT_A_TIME;
                    continue;
                }
                Ok(false) => {
                    backoff.reset();
                    self.every
                }
                Err(Trouble::NotShipped(NotShipped::TooMuch)) if at_a_time > 1 => {
                    at_a_time /= 2;
                    continue;
                }
                Err(Trouble::NotShipped(NotShipped::Later { reason, after })) => {
                    tracing::warn!(reason, "entries are not shipped");
                    after.unwrap_or_default().max(backoff.next_delay())
                }
                Err(error) => {
                    tracing::warn!(?error, "entries are not shipped");
                    backoff.next_delay()
                }
            };
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = stop.cancelled() => {}
            }
        }
    }

    /// Ships some; answers whether there is more to do at once.
    async fn ship(&self, holder: Uuid, at_a_time: usize) -> Result<bool, Trouble> {
        if !self.command(TakeLease { holder }).await? {
            return Ok(false);
        }
        let mut conn = self.context.read().await?;
        let limit = i64::try_from(at_a_time).unwrap_or(i64::MAX);
        let ids = shipping::waiting(&mut conn, limit).await.map_err(bhiv_db::Error::from)?;
        let entries = entry::with_ids(&mut conn, &ids).await.map_err(bhiv_db::Error::from)?;
        drop(conn);
        if ids.is_empty() {
            return Ok(false);
        }
        let rows: Vec<Row> = entries.into_iter().map(Row::from).collect();
        let outcomes = if rows.is_empty() { Vec::new() } else { self.to.ship(&rows).await? };
        let mut outcomes: HashMap<_, _> = rows.iter().map(|row| row.id).zip(outcomes).collect();
        let mut note = NoteShipped::default();
        let mut left = 0;
        for id in ids {
            match outcomes.remove(&id.0) {
                // What retention dropped meanwhile need not be shipped.
                Some(Shipped::Taken) | None => note.taken.push(id),
                Some(Shipped::Refused(reason)) => {
                    tracing::warn!(entry = %id, reason, "Elasticsearch refuses an entry");
                    note.refused.push((id, reason));
                }
                Some(Shipped::Later) => left += 1,
            }
        }
        self.command(note).await?;
        if left > 0 {
            let reason = format!("Elasticsearch did not take {left} entries yet");
            return Err(NotShipped::Later { reason, after: None }.into());
        }
        Ok(rows.len() == at_a_time)
    }

    async fn command<C: Command>(&self, command: C) -> Result<C::Output, Trouble>
    where
        C::Refusal: std::fmt::Debug,
    {
        let origin = Origin { actor: "service/logging".to_owned(), ..Origin::default() };
        self.context.run(origin, command).await.map_err(|fault| Trouble::Command(format!("{fault:?}")))
    }
}

/// Why it did not go on.
#[derive(Debug)]
enum Trouble {
    NotShipped(NotShipped),
    #[expect(dead_code, reason = "for the log")]
    Database(bhiv_db::Error),
    #[expect(dead_code, reason = "for the log")]
    Command(String),
}

impl From<NotShipped> for Trouble {
    fn from(error: NotShipped) -> Self {
        Self::NotShipped(error)
    }
}

impl From<bhiv_db::Error> for Trouble {
    fn from(error: bhiv_db::Error) -> Self {
        Self::Database(error)
    }
}
