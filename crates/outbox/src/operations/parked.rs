use std::convert::Infallible;

use bhiv_db::Conn;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, Bool, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use crate::schema::{inbox_parked, outbox_parked};
use crate::{Command, Fault, Tx};

/// A message that could not be handled yet.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Queryable, QueryableByName, Selectable)]
#[diesel(table_name = inbox_parked)]
pub struct ParkedIn {
    /// Which handler could not.
    pub consumer: String,
    /// The message's id.
    pub message_id: Uuid,
    /// The aggregate that it tells of.
    pub subject: String,
    /// The aggregate's version.
    pub sequence: i64,
    /// The queue that it came from.
    pub queue: String,
    /// Tries so far.
    pub attempts: i32,
    /// When it is tried next.
    pub next_attempt_at: DateTime<Utc>,
    /// `later`, or `database`.
    pub error_class: String,
    /// Why the newest try failed.
    pub error: String,
    /// When the first try failed.
    pub first_failed_at: DateTime<Utc>,
}

/// An event that the broker refused.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Queryable, QueryableByName, Selectable)]
#[diesel(table_name = outbox_parked)]
pub struct ParkedOut {
    /// Its place in the outbox.
    pub id: i64,
    /// The message's id.
    pub event_id: Uuid,
    /// Where it goes.
    pub exchange: String,
    /// The key that it is routed by.
    pub routing_key: String,
    /// When it was recorded.
    pub created_at: DateTime<Utc>,
    /// Tries so far.
    pub attempts: i32,
    /// When it is tried next.
    pub next_attempt_at: DateTime<Utc>,
    /// Why the newest try failed.
    pub last_error: String,
}

/// Parked incoming messages, the oldest failure first, at most so many.
///
/// # Errors
/// When the database fails.
pub async fn parked_in(conn: &mut Conn, most: i64) -> QueryResult<Vec<ParkedIn>> {
    inbox_parked::table
        .order((inbox_parked::first_failed_at, inbox_parked::message_id, inbox_parked::consumer))
        .limit(most)
        .select(ParkedIn::as_select())
        .load(conn)
        .await
}

/// Parked outgoing events, the oldest first, at most so many.
///
/// # Errors
/// When the database fails.
pub async fn parked_out(conn: &mut Conn, most: i64) -> QueryResult<Vec<ParkedOut>> {
    outbox_parked::table.order(outbox_parked::id).limit(most).select(ParkedOut::as_select()).load(conn).await
}

/// Has parked messages tried again now, whatever their time was, each with an audit row `parked.retry` in the
/// same transaction. Those that are being tried right now are left alone.
#[derive(Clone, Debug)]
pub struct Retry {
    /// Ids of messages; all when absent.
    pub ids: Option<Vec<Uuid>>,
}

/// What will be tried again.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Retried {
    /// Incoming messages, one entry per handler.
    pub incoming: Vec<ParkedIn>,
    /// Outgoing events.
    pub outgoing: Vec<ParkedOut>,
}

impl Command for Retry {
    type Output = Retried;
    type Refusal = Infallible;

    async fn run(&self, tx: &mut Tx) -> Result<Retried, Fault<Infallible>> {
        let ids = self.ids.as_deref().unwrap_or_default();
        let incoming: Vec<ParkedIn> = diesel::sql_query(
            "WITH chosen AS (SELECT consumer, message_id FROM inbox_parked
                             WHERE $1 OR message_id = ANY($2)
                             ORDER BY consumer, message_id FOR UPDATE SKIP LOCKED)
             UPDATE inbox_parked AS parked SET next_attempt_at = now() FROM chosen
             WHERE (parked.consumer, parked.message_id) = (chosen.consumer, chosen.message_id)
             RETURNING parked.*",
        )
        .bind::<Bool, _>(self.ids.is_none())
        .bind::<Array<SqlUuid>, _>(ids)
        .load(tx.conn())
        .await?;
        let outgoing: Vec<ParkedOut> = diesel::sql_query(
            "WITH chosen AS (SELECT id FROM outbox_parked WHERE $1 OR event_id = ANY($2)
                             ORDER BY id FOR UPDATE SKIP LOCKED)
             UPDATE outbox_parked AS parked SET next_attempt_at = now() FROM chosen
             WHERE parked.id = chosen.id RETURNING parked.*",
        )
        .bind::<Bool, _>(self.ids.is_none())
        .bind::<Array<SqlUuid>, _>(ids)
        .load(tx.conn())
        .await?;
        for parked in &incoming {
            let ParkedIn { consumer, queue, error_class, error, attempts, .. } = parked;
            let after = json!({
                "consumer": consumer, "queue": queue, "class": error_class, "error": error, "attempts": attempts,
            });
            tx.audit("parked.retry", format!("message/{}", parked.message_id), None, Some(&after));
        }
        for parked in &outgoing {
            let ParkedOut { exchange, routing_key, last_error, attempts, .. } = parked;
            let after = json!({
                "exchange": exchange, "routing_key": routing_key, "class": "refused", "error": last_error,
                "attempts": attempts,
            });
            tx.audit("parked.retry", format!("message/{}", parked.event_id), None, Some(&after));
        }
        Ok(Retried { incoming, outgoing })
    }
}
