use bhiv_db::Conn;
use chrono::{DateTime, Utc};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::sql_types::{Array, BigInt, Bool, Double, Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use serde_json::Value;
use uuid::Uuid;

use super::LogEntry;
use crate::domain::ids::EntryId;
use crate::domain::kind::LogKind;

/// Writes all entries with one statement that stays prepared, however many they are. One that is there
/// already stays as it is: its event was heard before the inbox forgot it.
/// `words` are what each is found by.
pub async fn insert(conn: &mut Conn, entries: &[LogEntry], words: &[String]) -> QueryResult<usize> {
    Insert::of(entries, words).execute(conn).await
}

/// A column each.
#[derive(Default)]
struct Insert<'a> {
    ids: Vec<EntryId>,
    kinds: Vec<LogKind>,
    event_types: Vec<&'a str>,
    types: Vec<&'a str>,
    sources: Vec<&'a str>,
    subjects: Vec<&'a str>,
    entities: Vec<&'a str>,
    actors: Vec<&'a str>,
    correlation_ids: Vec<Uuid>,
    causation_ids: Vec<Option<EntryId>>,
    sequences: Vec<i64>,
    trace_ids: Vec<Option<&'a str>>,
    task_ids: Vec<Option<&'a str>>,
    user_ids: Vec<Option<&'a str>>,
    rl_scores: Vec<Option<f64>>,
    consent_flags: Vec<Option<bool>>,
    actions: Vec<Option<&'a str>>,
    timestamps: Vec<DateTime<Utc>>,
    received_ats: Vec<DateTime<Utc>>,
    data: Vec<&'a Value>,
    words: &'a [String],
}

impl<'a> Insert<'a> {
    fn of(entries: &'a [LogEntry], words: &'a [String]) -> Self {
        let mut columns = Self { words, ..Self::default() };
        for entry in entries {
            columns.ids.push(entry.id);
            columns.kinds.push(entry.kind);
            columns.event_types.push(&entry.event_type);
            columns.types.push(&entry.r#type);
            columns.sources.push(&entry.source);
            columns.subjects.push(&entry.subject);
            columns.entities.push(&entry.entity);
            columns.actors.push(&entry.actor);
            columns.correlation_ids.push(entry.correlation_id);
            columns.causation_ids.push(entry.causation_id);
            columns.sequences.push(entry.sequence);
            columns.trace_ids.push(entry.trace_id.as_deref());
            columns.task_ids.push(entry.task_id.as_deref());
            columns.user_ids.push(entry.user_id.as_deref());
            columns.rl_scores.push(entry.rl_score);
            columns.consent_flags.push(entry.consent_flag);
            columns.actions.push(entry.action.as_deref());
            columns.timestamps.push(entry.timestamp);
            columns.received_ats.push(entry.received_at);
            columns.data.push(&entry.data);
        }
        columns
    }
}

impl QueryId for Insert<'_> {
    type QueryId = Insert<'static>;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl QueryFragment<Pg> for Insert<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql(
            "INSERT INTO entries (id, kind, event_type, type, source, subject, entity, actor, \
               correlation_id, causation_id, sequence, trace_id, task_id, user_id, rl_score, \
               consent_flag, action, timestamp, received_at, data, search) \
             SELECT id, kind, event_type, type, source, subject, entity, actor, correlation_id, causation_id, \
               sequence, trace_id, task_id, user_id, rl_score, consent_flag, action, timestamp, received_at, data, \
               words::tsvector FROM unnest(",
        );
        out.push_bind_param::<Array<SqlUuid>, _>(&self.ids)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Text>, _>(&self.kinds)?;
        for texts in
            [&self.event_types, &self.types, &self.sources, &self.subjects, &self.entities, &self.actors]
        {
            out.push_sql(", ");
            out.push_bind_param::<Array<Text>, _>(texts)?;
        }
        out.push_sql(", ");
        out.push_bind_param::<Array<SqlUuid>, _>(&self.correlation_ids)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Nullable<SqlUuid>>, _>(&self.causation_ids)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<BigInt>, _>(&self.sequences)?;
        for texts in [&self.trace_ids, &self.task_ids, &self.user_ids] {
            out.push_sql(", ");
            out.push_bind_param::<Array<Nullable<Text>>, _>(texts)?;
        }
        out.push_sql(", ");
        out.push_bind_param::<Array<Nullable<Double>>, _>(&self.rl_scores)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Nullable<Bool>>, _>(&self.consent_flags)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Nullable<Text>>, _>(&self.actions)?;
        for times in [&self.timestamps, &self.received_ats] {
            out.push_sql(", ");
            out.push_bind_param::<Array<Timestamptz>, _>(times)?;
        }
        out.push_sql(", ");
        out.push_bind_param::<Array<Jsonb>, _>(&self.data)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Text>, _>(self.words)?;
        out.push_sql(
            ") AS new (id, kind, event_type, type, source, subject, entity, actor, correlation_id, causation_id, \
               sequence, trace_id, task_id, user_id, rl_score, consent_flag, action, timestamp, received_at, data, \
               words) ON CONFLICT DO NOTHING",
        );
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use bhiv_service::Service as _;
    use bhiv_testing::TestDatabase;
    use chrono::TimeDelta;
    use serde_json::json;

    use super::super::part;
    use super::*;
    use crate::store::entry::Filter;

    fn words(count: usize) -> Vec<String> {
        vec!["'asha':1 'verma':2,4".to_owned(); count]
    }

    /// Each field differs from row to row, and each may be absent.
    fn row(number: u8) -> LogEntry {
        let id = EntryId(Uuid::from_u128(u128::from(number)));
        let is_odd = number % 2 == 1;
        let text = |name: &str| format!("{name}-{number}");
        let odd_text = |name: &str| is_odd.then(|| text(name));
        let timestamp = DateTime::UNIX_EPOCH + TimeDelta::seconds(number.into());
        LogEntry {
            id,
            kind: if is_odd { LogKind::Audit } else { LogKind::Event },
            event_type: text("event_type"),
            r#type: text("type"),
            source: text("source"),
            subject: text("subject"),
            entity: text("entity"),
            actor: text("actor"),
            correlation_id: id.0,
            causation_id: is_odd.then_some(id),
            sequence: number.into(),
            trace_id: odd_text("trace_id"),
            task_id: odd_text("task_id"),
            user_id: odd_text("user_id"),
            rl_score: is_odd.then(|| f64::from(number) / 100.0),
            consent_flag: is_odd.then_some(number % 4 == 1),
            action: odd_text("action"),
            timestamp,
            received_at: timestamp + TimeDelta::hours(1),
            data: json!({"number": number, "quoted": "\"{}\\,NULL"}),
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn many_rows_are_written_at_once_and_each_only_once() {
        let database = TestDatabase::migrated(crate::Logging::MIGRATIONS).await;
        let mut conn = database.connect().await;
        let first: Vec<_> = (1..=3).map(row).collect();
        assert_eq!(insert(&mut conn, &first, &words(3)).await.unwrap(), 3);
        // One is there already, one stands twice.
        let changed = LogEntry { event_type: "changed".to_owned(), ..row(2) };
        assert_eq!(insert(&mut conn, &[row(4), changed, row(4), row(5)], &words(4)).await.unwrap(), 2);
        assert_eq!(insert(&mut conn, &[], &[]).await.unwrap(), 0);
        let (mut found, count) = part(&mut conn, &Filter::default(), None, 9).await.unwrap();
        found.reverse();
        assert_eq!((found, count), ((1..=5).map(row).collect::<Vec<_>>(), 5));
    }
}
