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

/// As [`list`], and how many entries the whole list has; one more than [`COUNTED`] if there are more.
///
/// To find all of few costs as much as to count them, so it is done once: the part is taken out of what was counted,
/// wherever it must be in that.
pub async fn part(
    conn: &mut Conn,
    filter: &Filter,
    after: Option<Place>,
    limit: i64,
) -> QueryResult<(Vec<LogEntry>, i64)> {
    let places = places(conn, filter).await?;
    let count = i64::try_from(places.len()).unwrap_or(i64::MAX);
    let size = usize::try_from(limit).unwrap_or_default();
    let below = places.into_iter().filter(|place| after.is_none_or(|after| *place < after));
    let part: Vec<_> = below.take(size).map(|(_, id)| id).collect();
    let is_known = count <= COUNTED || filter.is_found_in_order() && part.len() == size;
    if !is_known {
        return Ok((list(conn, filter, after, limit).await?, count));
    }
    let mut entries = with_ids(conn, &part).await?;
    entries.sort_unstable_by_key(|entry| std::cmp::Reverse((entry.timestamp, entry.id)));
    Ok((entries, count))
}

/// Where up to one more than [`COUNTED`] entries of a list are, the newest first: all of them, or the newest ones if those
/// are found in that order.
async fn places(conn: &mut Conn, filter: &Filter) -> QueryResult<Vec<Place>> {
    let mut query = filter.query().limit(COUNTED + 1);
    if filter.is_found_in_order() {
        query = query.order((entries::timestamp.desc(), entries::id.desc()));
    }
    let mut places: Vec<Place> = query.select((entries::timestamp, entries::id)).load(conn).await?;
    places.sort_unstable_by(|a, b| b.cmp(a));
    Ok(places)
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

#[cfg(test)]
mod tests {
    use bhiv_service::Service as _;
    use bhiv_testing::TestDatabase;

    use super::*;
    use crate::domain::query::TextQuery;

    /// Two at each time, of two types, three users, and three words besides one that is in all.
    const ROWS: &str = "
        INSERT INTO entries (id, kind, event_type, type, source, subject, entity, actor, correlation_id, sequence, user_id,
            timestamp, received_at, data, search)
        SELECT md5('id' || n)::uuid, 'event', 'type-' || n % 2, 'type', 'source', 'subject', 'entity', 'actor',
            md5('story')::uuid, 1, 'user-' || n % 3, timestamptz '2027-01-01' + n / 2 * interval '1 second',
            timestamptz '2027-01-01', '{}', array_to_tsvector(ARRAY['all', 'word' || n % 3])
        FROM generate_series(1, 3000) AS n";

    #[tokio::test(flavor = "multi_thread")]
    async fn parts_are_those_of_the_list_wherever_they_are_taken_from() {
        let database = TestDatabase::migrated(crate::Logging::MIGRATIONS).await;
        let mut conn = database.connect().await;
        diesel::sql_query(ROWS).execute(&mut conn).await.unwrap();
        let of = |event_type: Option<&str>, user_id: Option<&str>, text: Option<&str>| Filter {
            event_type: event_type.map(str::to_owned),
            user_id: user_id.map(str::to_owned),
            text: text.map(|text| TextQuery::read(text).unwrap()),
            ..Filter::default()
        };
        let (type_, user) = (Some("type-1"), Some("user-2"));
        for (filter, total) in [
            (of(None, None, None), 3_000),
            (of(type_, None, None), 1_500),
            (of(None, user, None), 1_000),
            (of(type_, user, None), 500),
            (of(None, None, Some("all")), 3_000),
            (of(None, None, Some("word1")), 1_000),
            (of(type_, None, Some("all")), 1_500),
            (of(type_, None, Some("word1")), 500),
            (of(None, user, Some("word1")), 0),
        ] {
            let (mut after, mut found) = (None, 0);
            loop {
                let (entries, count) = part(&mut conn, &filter, after, 400).await.unwrap();
                assert_eq!(count, COUNTED.min(total - 1) + 1, "{filter:?}");
                assert_eq!(entries, list(&mut conn, &filter, after, 400).await.unwrap(), "{filter:?}");
                found += entries.len();
                after = entries.last().map(|last| (last.timestamp, last.id));
                if entries.len() < 400 {
                    break;
                }
            }
            assert_eq!(i64::try_from(found), Ok(total), "{filter:?}");
        }
    }
}
