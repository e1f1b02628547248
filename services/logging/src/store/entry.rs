mod filter;
mod insert;

pub use filter::Filter;
pub use insert::insert;

use bhiv_db::Conn;
use bhiv_ledger::Row;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::domain::ids::EntryId;
use crate::domain::kind::LogKind;
use crate::domain::personal;
use crate::schema::entries;

/// What was heard of one event.
#[derive(Clone, Debug, PartialEq, Queryable, Selectable, Serialize, Deserialize, ToSchema)]
#[diesel(table_name = entries)]
pub struct LogEntry {
    /// Its id: that of the event.
    pub id: EntryId,
    /// Whether it is an event or an audit row.
    pub kind: LogKind,
    /// Public name of the event, for example `lead_created`.
    pub event_type: String,
    /// CloudEvents type, for example `bhiv.crm.lead.created.v1`.
    #[diesel(column_name = type_)]
    pub r#type: String,
    /// Who emitted it, for example `/bhiv/crm`.
    pub source: String,
    /// What the event is of, for example `lead/0190...`.
    pub subject: String,
    /// What it is about: what was changed, of an audit row, and the subject of any other event.
    pub entity: String,
    /// Who did it: `user/<id>`, or `service/<name>` for a reaction.
    pub actor: String,
    /// The causal story that it belongs to.
    pub correlation_id: Uuid,
    /// The entry of the event that led to it.
    pub causation_id: Option<EntryId>,
    /// The version of the subject after the event.
    pub sequence: i64,
    /// The trace that it was recorded in.
    pub trace_id: Option<String>,
    /// The task that its data names.
    pub task_id: Option<String>,
    /// The user that its data names, else the user who did it.
    pub user_id: Option<String>,
    /// The score in its data, 0 to 1.
    pub rl_score: Option<f64>,
    /// Whether its data says that the user consented.
    pub consent_flag: Option<bool>,
    /// What was done, of an audit row, for example `lead.create`.
    pub action: Option<String>,
    /// When it happened.
    pub timestamp: DateTime<Utc>,
    /// When logging heard of it.
    pub received_at: DateTime<Utc>,
    /// The event's own data.
    pub data: Value,
}

impl From<LogEntry> for Row {
    fn from(entry: LogEntry) -> Self {
        Self {
            id: entry.id.0,
            kind: entry.kind.to_string(),
            event_type: entry.event_type,
            r#type: entry.r#type,
            source: entry.source,
            subject: entry.subject,
            entity: entry.entity,
            actor: entry.actor,
            correlation_id: entry.correlation_id,
            causation_id: entry.causation_id.map(|id| id.0),
            sequence: entry.sequence,
            trace_id: entry.trace_id,
            task_id: entry.task_id,
            user_id: entry.user_id,
            rl_score: entry.rl_score,
            consent_flag: entry.consent_flag,
            action: entry.action,
            timestamp: entry.timestamp,
            received_at: entry.received_at,
            data: entry.data,
        }
    }
}

/// A place in a list: that of the entry with this time and this id.
pub type Place = (DateTime<Utc>, EntryId);

/// The entry, if there is one.
pub async fn find(conn: &mut Conn, id: EntryId) -> QueryResult<Option<LogEntry>> {
    entries::table.filter(entries::id.eq(id)).select(LogEntry::as_select()).first(conn).await.optional()
}

/// Up to `limit` entries, the newest first, beginning below the place `after`.
pub async fn list(
    conn: &mut Conn,
    filter: &Filter,
    after: Option<Place>,
    limit: i64,
) -> QueryResult<Vec<LogEntry>> {
    let mut query = filter.query();
    if let Some((timestamp, id)) = after {
        // The first condition is what an index can begin at.
        query = query
            .filter(entries::timestamp.le(timestamp))
            .filter(entries::timestamp.lt(timestamp).or(entries::id.lt(id)));
    }
    query
        .order((entries::timestamp.desc(), entries::id.desc()))
        .limit(limit)
        .select(LogEntry::as_select())
        .load(conn)
        .await
}

/// Up to `limit` entries above a place, the oldest first.
pub async fn list_after(
    conn: &mut Conn,
    filter: &Filter,
    (timestamp, id): Place,
    limit: i64,
) -> QueryResult<Vec<LogEntry>> {
    let query = filter.query().filter(entries::timestamp.ge(timestamp));
    query
        .filter(entries::timestamp.gt(timestamp).or(entries::id.gt(id)))
        .order((entries::timestamp, entries::id))
        .limit(limit)
        .select(LogEntry::as_select())
        .load(conn)
        .await
}

/// So far entries of a list are counted: counting all would read all.
pub const COUNTED: i64 = 1_000;

/// How many entries a list has; one more than [`COUNTED`] if there are more.
pub async fn count(conn: &mut Conn, filter: &Filter) -> QueryResult<i64> {
    let some = filter.query().limit(COUNTED + 1).select(entries::id);
    let some: Vec<EntryId> = some.load(conn).await?;
    Ok(i64::try_from(some.len()).unwrap_or(i64::MAX))
}

/// Up to `limit` entries whose ids were made at `since` or later, the newest first.
pub async fn newest_minted(
    conn: &mut Conn,
    filter: &Filter,
    since: DateTime<Utc>,
    limit: i64,
) -> QueryResult<Vec<LogEntry>> {
    let millis = u64::try_from(since.timestamp_millis()).unwrap_or_default();
    let first = EntryId(uuid::Builder::from_unix_timestamp_millis(millis, &[0; 10]).into_uuid());
    let query = filter.query().filter(entries::id.ge(first)).order(entries::id.desc());
    query.limit(limit).select(LogEntry::as_select()).load(conn).await
}

/// Up to `limit` entries of one causal story, the oldest first.
pub async fn story(conn: &mut Conn, correlation_id: Uuid, limit: i64) -> QueryResult<Vec<LogEntry>> {
    entries::table
        .filter(entries::correlation_id.eq(correlation_id))
        .order((entries::timestamp, entries::id))
        .limit(limit)
        .select(LogEntry::as_select())
        .load(conn)
        .await
}

/// Those of these entries that are of this kind.
pub async fn of_kind(conn: &mut Conn, kind: LogKind, ids: &[EntryId]) -> QueryResult<Vec<LogEntry>> {
    // Within their months alone.
    let (Some(first), Some(last)) = (ids.iter().min(), ids.iter().max()) else { return Ok(Vec::new()) };
    entries::table
        .filter(entries::kind.eq(kind))
        .filter(entries::id.between(first, last))
        .filter(entries::id.eq_any(ids))
        .select(LogEntry::as_select())
        .load(conn)
        .await
}

/// Those of these entries that are there.
pub async fn with_ids(conn: &mut Conn, ids: &[EntryId]) -> QueryResult<Vec<LogEntry>> {
    let (Some(first), Some(last)) = (ids.iter().min(), ids.iter().max()) else { return Ok(Vec::new()) };
    let within = entries::table.filter(entries::id.between(first, last));
    within.filter(entries::id.eq_any(ids)).select(LogEntry::as_select()).load(conn).await
}

/// Up to `limit` ids of audit rows, higher than `after`, the lowest first.
pub async fn audit_ids(conn: &mut Conn, after: Uuid, limit: i64) -> QueryResult<Vec<EntryId>> {
    entries::table
        .filter(entries::kind.eq(LogKind::Audit))
        .filter(entries::id.gt(EntryId(after)))
        .order(entries::id)
        .limit(limit)
        .select(entries::id)
        .load(conn)
        .await
}

/// Entries about somebody.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct About {
    /// Those whose personal fields are sealed.
    pub sealed: i64,
    /// Those with personal fields that are not.
    pub unsealed: i64,
}

/// Entries that are gone through for [`about`], at most.
const MOST_ABOUT: i64 = 10_000;

/// How many entries there are about these, of which something is personal.
pub async fn about(conn: &mut Conn, subjects: &[String]) -> QueryResult<About> {
    let entries = entries::table.filter(entries::entity.eq_any(subjects));
    let entries: Vec<(String, Value)> =
        entries.select((entries::entity, entries::data)).limit(MOST_ABOUT).load(conn).await?;
    let mut about = About::default();
    for (entity, data) in entries {
        if personal::is_bare(&entity, &data) {
            about.unsealed += 1;
        } else if personal::is_in(&entity, &data) {
            about.sealed += 1;
        }
    }
    Ok(about)
}
