use std::borrow::Cow;

use bhiv_broker::{Headers, topology, wire};
use bhiv_clock::Clock;
use bhiv_db::{Conn, DieselError, Error, JsonText, Pool, PooledConnection};
use bhiv_events::{AuditRecorded, ConsentApplied, Contract, Kind, PersonErased, Producer, dataschema};
use bhiv_telemetry::trace;
use chrono::{DateTime, Utc};
use diesel_async::{AnsiTransactionManager, TransactionManager as _};
use serde::Serialize;
use uuid::Uuid;

use crate::history::{self, Circumstances, NewState};
use crate::relay::rows::{self, NewRow};
use crate::{Failure, Fault, Idempotency, Wake, stories};

/// Who and what a transaction acts for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// `user/<id>`, or `service/<name>` for a reaction.
    pub actor: String,
    /// The causal story, when the caller named one.
    pub correlation: Option<Uuid>,
    /// The event that is reacted to.
    pub causation: Option<Uuid>,
    /// The HTTP request.
    pub request_id: Option<String>,
    /// How it is recognised when it comes again.
    pub idempotency: Option<Idempotency>,
}

/// Everything that transactions of one service share. Cloning it shares it.
#[derive(Clone, Debug)]
pub(crate) struct ServiceContext {
    pub(crate) pool: Pool,
    pub(crate) producer: Producer,
    pub(crate) clock: Clock,
    pub(crate) wake: Wake,
}

/// One transaction and the events that it records: all that a command gets to see of the world.
///
/// It cannot reach the network. Events and audit rows become rows of the outbox in the same commit, after
/// everything else, when the changed records are locked: so the order of a record's events is the order of
/// its changes.
///
/// Dropped before its end it is rolled back, and its connection is closed.
pub struct Tx {
    conn: PooledConnection,
    service: ServiceContext,
    now: DateTime<Utc>,
    origin: Origin,
    /// What has no form in JSON keeps the transaction from committing.
    rows: Vec<Result<NewRow, serde_json::Error>>,
    states: Vec<Result<NewState, serde_json::Error>>,
}

impl std::fmt::Debug for Tx {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Tx of {} with {} events", self.origin.actor, self.rows.len())
    }
}

impl Tx {
    pub(crate) async fn begin(service: &ServiceContext, origin: Origin) -> Result<Self, Error> {
        let mut conn = service.pool.get().await?;
        AnsiTransactionManager::begin_transaction(&mut *conn).await?;
        let now = service.clock.now();
        Ok(Self { conn, service: service.clone(), now, origin, rows: Vec::new(), states: Vec::new() })
    }

    /// Commits with the recorded events if `result` is good, and changes nothing otherwise.
    pub(crate) async fn end<T, E: EndsTx>(mut self, result: Result<T, E>) -> Result<T, E> {
        let flushed = match result {
            Ok(output) => self.flush().await.map(|recorded| (output, recorded)).map_err(E::from),
            Err(error) => Err(error),
        };
        match flushed {
            Ok((output, recorded)) => {
                self.commit(recorded).await?;
                Ok(output)
            }
            Err(error) => {
                if error.is_away() {
                    // It may be connected to a server that will never write again: not back into the pool.
                    drop(PooledConnection::take(self.conn));
                } else {
                    // When the rollback fails too, the connection is broken, and the server rolls back.
                    let _ = AnsiTransactionManager::rollback_transaction(&mut *self.conn).await;
                }
                Err(error)
            }
        }
    }

    /// Commits. After an error other than a conflict or a constraint nobody knows whether it did.
    ///
    /// `recorded` is what [`Tx::flush`] answered.
    pub(crate) async fn commit(mut self, recorded: bool) -> Result<(), Error> {
        AnsiTransactionManager::commit_transaction(&mut *self.conn).await?;
        if recorded {
            self.service.wake.wake();
        }
        Ok(())
    }

    /// Changes nothing.
    pub(crate) async fn roll_back(mut self) {
        // When it fails, the connection is broken, and the server rolls back.
        let _ = AnsiTransactionManager::rollback_transaction(&mut *self.conn).await;
    }

    /// The connection, inside the transaction.
    pub fn conn(&mut self) -> &mut Conn {
        &mut self.conn
    }

    /// When the transaction began; the same at every call.
    pub fn now(&self) -> DateTime<Utc> {
        self.now
    }

    /// A new id.
    pub fn id(&self) -> Uuid {
        self.service.clock.id()
    }

    /// A number from 0 up to but not including 1.
    pub fn chance(&self) -> f64 {
        self.service.clock.chance()
    }

    /// Who acts: `user/<id>` or `service/<name>`.
    pub fn actor(&self) -> &str {
        &self.origin.actor
    }

    /// The causal story that this transaction belongs to; a new one, unless the caller or
    /// [`Tx::continue_story`] named one.
    pub fn correlation(&mut self) -> Uuid {
        let clock = &self.service.clock;
        *self.origin.correlation.get_or_insert_with(|| clock.id())
    }

    /// Joins the story of a record that is already there, unless the caller named another one.
    pub fn continue_story(&mut self, correlation: Uuid) {
        self.origin.correlation.get_or_insert(correlation);
    }

    /// Goes on in the story of another record, for whoever acts on many of them in one transaction.
    pub fn follow(&mut self, correlation: Uuid) {
        self.origin.correlation = Some(correlation);
    }

    /// Joins the story of another service's record, for example `opportunity/0190...`, if it was heard of; see
    /// [`crate::Bindings::remembering`].
    ///
    /// # Errors
    /// When the database fails.
    pub async fn continue_story_of(&mut self, entity: &str) -> Result<(), DieselError> {
        if self.origin.correlation.is_none() {
            self.origin.correlation = stories::of(&mut self.conn, entity).await?;
        }
        Ok(())
    }

    /// Records that something happened. `sequence` is the version of the aggregate after the change.
    pub fn record<C: Contract>(&mut self, sequence: i64, data: &C) -> Uuid {
        self.push(C::KIND, data.subject(), sequence, data)
    }

    /// Records that this service removed what it had about a person.
    pub fn erased(&mut self, data: &PersonErased) {
        self.push(PersonErased::kind(self.service.producer), data.subject(), 1, data);
    }

    /// Records that this service acts by what a person said to a purpose; `sequence` is that of the event that told of it.
    pub fn consent_applied(&mut self, sequence: i64, data: &ConsentApplied) {
        self.push(ConsentApplied::kind(self.service.producer), data.subject(), sequence, data);
    }

    /// Records who changed what: the audit row of the change, in the same transaction as the change.
    /// `before` is absent when the record was created, `after` when it was removed.
    pub fn audit(
        &mut self,
        action: &str,
        entity: impl Into<String>,
        before: Option<&dyn erased::Json>,
        after: Option<&dyn erased::Json>,
    ) {
        let audit = AuditRecorded {
            audit_id: self.id(),
            action: action.to_owned(),
            entity: entity.into(),
            request_id: self.origin.request_id.clone(),
            before: before.map(erased::Json::json),
            after: after.map(erased::Json::json),
        };
        self.push(AuditRecorded::kind(self.service.producer), audit.subject(), 1, &audit);
    }

    /// Records who changed what, as [`Tx::audit`] does, and keeps the record's state in its history: `version` is
    /// the record's after the change, `before` is absent when it was created, `after` when it was removed. Needs
    /// [`crate::HISTORY`] among the service's migrations.
    pub fn change<T: Serialize + Sync>(
        &mut self,
        action: &str,
        entity: impl Into<String>,
        version: i64,
        before: Option<&T>,
        after: Option<&T>,
    ) {
        let entity = entity.into();
        self.audit(action, entity.clone(), before.map(|it| it as _), after.map(|it| it as _));
        self.keep(action, entity, version, before, after);
    }

    /// Keeps a record's state in its history, without an audit row: for what a service does by itself, which its
    /// events tell.
    pub fn keep<T: Serialize + Sync>(
        &mut self,
        action: &str,
        entity: impl Into<String>,
        version: i64,
        before: Option<&T>,
        after: Option<&T>,
    ) {
        let entity = entity.into();
        let correlation_id = self.correlation();
        let circumstances = JsonText::of(&Circumstances {
            at: self.now,
            actor: &self.origin.actor,
            action,
            request_id: self.origin.request_id.as_deref(),
            correlation_id,
        });
        let state = circumstances.and_then(|circumstances| {
            let (before, after) =
                (before.map(JsonText::of).transpose()?, after.map(JsonText::of).transpose()?);
            Ok(NewState { entity, version, circumstances, before, after })
        });
        self.states.push(state);
    }

    fn push(&mut self, kind: Kind, subject: String, sequence: i64, data: &impl Serialize) -> Uuid {
        let event_id = self.id();
        let traceparent = trace::current();
        let headers = JsonText::of(&wire::Attributes {
            specversion: "1.0",
            id: event_id,
            source: kind.producer.source(),
            type_: kind.type_,
            subject: &subject,
            time: self.now,
            dataschema: &dataschema(kind.type_),
            sequence,
            correlationid: self.correlation(),
            causationid: self.origin.causation,
            actor: &self.origin.actor,
            traceparent: traceparent.as_deref(),
        });
        let payload = serde_json::to_vec(data);
        self.rows.push(headers.and_then(|headers| {
            Ok(NewRow {
                event_id,
                exchange: kind.producer.exchange(),
                routing_key: Cow::Borrowed(kind.routing_key),
                subject,
                sequence,
                headers,
                payload: payload?,
            })
        }));
        event_id
    }

    /// Sends a message to the dead-letter exchange, through the outbox like everything else.
    pub(crate) fn dead_letter(&mut self, id: Uuid, routing_key: String, headers: &Headers, payload: Vec<u8>) {
        self.rows.push(JsonText::of(headers).map(|headers| NewRow {
            event_id: id,
            exchange: topology::DEAD_LETTER_EXCHANGE,
            routing_key: Cow::Owned(routing_key),
            subject: String::new(),
            sequence: 0,
            headers,
            payload,
        }));
    }

    /// Takes up the next message of a batch.
    pub(crate) fn act_for(&mut self, origin: Origin) {
        self.origin = origin;
    }

    /// Writes the recorded events; answers whether there were any.
    pub(crate) async fn flush(&mut self) -> Result<bool, Error> {
        let rows: Result<Vec<NewRow>, _> = std::mem::take(&mut self.rows).into_iter().collect();
        let rows = rows.map_err(|error| DieselError::SerializationError(error.into()))?;
        let states: Result<Vec<NewState>, _> = std::mem::take(&mut self.states).into_iter().collect();
        let states = states.map_err(|error| DieselError::SerializationError(error.into()))?;
        if !states.is_empty() {
            history::insert(&mut self.conn, &states).await?;
        }
        if rows.is_empty() {
            return Ok(false);
        }
        rows::insert(&mut self.conn, &rows).await?;
        Ok(true)
    }
}

/// An error that a transaction can end with.
pub(crate) trait EndsTx: From<Error> {
    /// Whether the database is the reason, and the connection is of no more use.
    fn is_away(&self) -> bool;
}

impl EndsTx for Error {
    fn is_away(&self) -> bool {
        matches!(self, Self::Unavailable(_))
    }
}

impl<R> EndsTx for Fault<R> {
    fn is_away(&self) -> bool {
        matches!(self, Self::Database(error) if error.is_away())
    }
}

impl EndsTx for Failure {
    fn is_away(&self) -> bool {
        matches!(self, Self::Database(error) if error.is_away())
    }
}

mod erased {
    use serde_json::Value;

    use super::Serialize;

    /// Anything that can be shown as JSON.
    pub trait Json: Sync {
        /// As JSON; null if it cannot be.
        fn json(&self) -> Value;
    }

    impl<T: Serialize + Sync> Json for T {
        fn json(&self) -> Value {
            serde_json::to_value(self).unwrap_or_default()
        }
    }
}
