//! Requests that carry a key: the first one acts, and its repetitions get the same answer.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bhiv_db::{Conn, DieselError, Error, statement};
use diesel::sql_types::{BigInt, Binary, Bool, Jsonb, Nullable, Text};
use diesel_async::RunQueryDsl as _;
use serde_json::Value;

use crate::erasure::EMPTIED;

/// A request that can be repeated.
#[derive(Clone, Debug)]
pub struct Idempotency {
    key: String,
    request: Vec<u8>,
    replayed: Arc<AtomicBool>,
}

impl PartialEq for Idempotency {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key && self.request == other.request
    }
}

impl Eq for Idempotency {}

impl Idempotency {
    /// `key` is the client's name for it; `request` is a hash of everything that it asks for.
    pub fn new(key: impl Into<String>, request: impl Into<Vec<u8>>) -> Self {
        Self { key: key.into(), request: request.into(), replayed: Arc::default() }
    }

    /// A part of the request, which is done and answered by itself: `name` is its own among the parts.
    #[must_use]
    pub fn part(&self, name: &str) -> Self {
        Self { key: format!("{}#{name}", self.key), ..self.clone() }
    }

    /// Whether the answer is that of an earlier request.
    pub fn was_replayed(&self) -> bool {
        AtomicBool::load(&self.replayed, Ordering::Relaxed)
    }

    pub(crate) fn replay(&self) {
        self.replayed.store(true, Ordering::Relaxed);
    }

    /// What is known of it, and a claim to it for the rest of the transaction if nothing is.
    pub(crate) async fn claim(
        &self,
        conn: &mut Conn,
        principal: &str,
        patience: Patience,
    ) -> Result<Claim, Error> {
        let (is_ours, stored) = LookUp::new(principal, &self.key).get_result(conn).await.map(split)?;
        if let Some(stored) = stored {
            return Ok(self.compare(stored));
        }
        if is_ours {
            return Ok(Claim::Fresh);
        }
        // Another transaction has it. It may end any moment, and then there is an answer, or none.
        if patience == Patience::None || !wait(conn, principal, &self.key).await? {
            return Ok(Claim::Busy);
        }
        // A new statement, because this one's snapshot is older than the end of the other transaction.
        let (_, stored) = LookUp::new(principal, &self.key).get_result(conn).await.map(split)?;
        Ok(stored.map_or(Claim::Fresh, |stored| self.compare(stored)))
    }

    fn compare(&self, (request, output): (Vec<u8>, Value)) -> Claim {
        // An answer that told of somebody who was forgotten is known no more, and its request not run again.
        if request == self.request && output != EMPTIED { Claim::Answered(output) } else { Claim::Reused }
    }

    /// Stores the answer, in the transaction that has the effects.
    pub(crate) async fn remember(
        &self,
        conn: &mut Conn,
        principal: &str,
        output: Value,
    ) -> Result<(), Error> {
        match Remember::new(principal, &self.key, &self.request, output)
            .execute(conn)
            .await
            .map_err(Error::from)
        {
            Ok(_) => Ok(()),
            // Somebody was quicker after all: this transaction is rolled back and run again, and finds the answer.
            Err(error) if error.is_constraint("idempotency_keys_pkey") => {
                Err(Error::Conflict("another request with the same key was quicker".to_owned()))
            }
            Err(error) => Err(error),
        }
    }
}

/// Whether to wait for another request with the same key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Patience {
    /// Not at all: others would wait as well.
    None,
    /// For 2 s.
    Some,
}

/// What is known of a request with a key.
#[derive(Debug, PartialEq)]
pub(crate) enum Claim {
    /// Nothing: it may act.
    Fresh,
    /// It was answered so.
    Answered(Value),
    /// Another request had the key.
    Reused,
    /// A request with that key is under way.
    Busy,
}

type Row = (bool, Option<Vec<u8>>, Option<Value>);

fn split((is_ours, request, output): Row) -> (bool, Option<(Vec<u8>, Value)>) {
    (is_ours, request.zip(output))
}

statement! {
    struct LookUp<'a> { principal: &'a str, key: &'a str } -> (Bool, Nullable<Binary>, Nullable<Jsonb>);
    "WITH wanted AS (SELECT " [principal: Text] "::text AS principal, " [key: Text] "::text AS key)
     SELECT pg_try_advisory_xact_lock(hashtextextended(
              concat_ws(E'\\n', current_schema(), wanted.principal, wanted.key), 1)),
            stored.request_hash, stored.output
     FROM wanted LEFT JOIN idempotency_keys AS stored USING (principal, key)"
}

statement! {
    struct Remember<'a> { principal: &'a str, key: &'a str, request: &'a [u8], output: Value } -> ();
    "INSERT INTO idempotency_keys (principal, key, request_hash, output) VALUES ("
    [principal: Text] ", " [key: Text] ", " [request: Binary] ", " [output: Jsonb] ")"
}

/// Waits for the transaction that has the key, for 2 s; answers whether it has ended.
async fn wait(conn: &mut Conn, principal: &str, key: &str) -> Result<bool, Error> {
    diesel::sql_query("SAVEPOINT waiting").execute(conn).await?;
    diesel::sql_query("SET LOCAL lock_timeout = '2s'").execute(conn).await?;
    let lock =
        "SELECT pg_advisory_xact_lock(hashtextextended(concat_ws(E'\\n', current_schema(), $1, $2), 1))";
    let waited: Result<usize, DieselError> =
        diesel::sql_query(lock).bind::<Text, _>(principal).bind::<Text, _>(key).execute(conn).await;
    match waited.map_err(Error::from) {
        Ok(_) => {
            diesel::sql_query("SET LOCAL lock_timeout = DEFAULT").execute(conn).await?;
            Ok(true)
        }
        Err(Error::Conflict(_)) => {
            diesel::sql_query("ROLLBACK TO SAVEPOINT waiting").execute(conn).await?;
            Ok(false)
        }
        Err(error) => Err(error),
    }
}

/// Forgets answers that are older than a day, some at a time.
pub(crate) async fn forget_old(conn: &mut Conn, most: i64) -> Result<usize, Error> {
    let forgotten = diesel::sql_query(
        "DELETE FROM idempotency_keys WHERE (principal, key) IN
           (SELECT principal, key FROM idempotency_keys
            WHERE created_at < now() - interval '24 hours' ORDER BY created_at LIMIT $1)",
    )
    .bind::<BigInt, _>(most)
    .execute(conn)
    .await?;
    Ok(forgotten)
}
