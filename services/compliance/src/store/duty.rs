use bhiv_db::Conn;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::domain::duty::{DutyKind, DutyStatus};
use crate::domain::regime::Regime;
use crate::schema::{duties, duty_evidence};

/// Something that the law wants done within a time.
#[derive(
    Clone,
    Debug,
    PartialEq,
    Queryable,
    Selectable,
    Insertable,
    AsChangeset,
    Identifiable,
    Serialize,
    Deserialize,
    ToSchema,
)]
#[diesel(table_name = duties, treat_none_as_default_value = false, treat_none_as_null = true)]
pub struct Duty {
    /// Its id.
    pub id: Uuid,
    /// Grows by one with each change.
    pub version: i64,
    /// What is to be done.
    pub kind: DutyKind,
    /// The law that wants it.
    pub regime: Regime,
    /// Who asks, for example `lead/0190...`; nobody, when a breach is to be reported.
    pub subject: Option<String>,
    /// What was said, or happened, in words.
    pub details: Option<String>,
    /// How many persons a breach is about.
    pub affected: Option<i64>,
    /// The erasure that it led to, if it did.
    pub erasure_id: Option<Uuid>,
    /// How far it is.
    pub status: DutyStatus,
    /// When its time began.
    pub received_at: DateTime<Utc>,
    /// When it ends.
    pub due_at: DateTime<Utc>,
    /// Whether it was given more.
    pub extended: bool,
    /// When it was told that it is late.
    pub overdue_at: Option<DateTime<Utc>>,
    /// When it was done, or refused.
    pub closed_at: Option<DateTime<Utc>>,
    /// Who recorded it.
    pub opened_by: String,
    /// The causal story that it belongs to.
    pub correlation_id: Uuid,
    /// When it was recorded.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

/// What was done about a duty.
#[derive(Clone, Debug, PartialEq, Queryable, Selectable, Insertable, Serialize, Deserialize, ToSchema)]
#[diesel(table_name = duty_evidence, treat_none_as_default_value = false)]
pub struct DutyEvidence {
    /// Its id.
    pub id: Uuid,
    /// The duty.
    pub duty_id: Uuid,
    /// What was done, in words.
    pub what: String,
    /// Where that can be seen.
    pub reference: Option<String>,
    /// Who did it.
    pub actor: String,
    /// When.
    pub created_at: DateTime<Utc>,
}

/// A duty and what was done about it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DutyRecord {
    /// The duty.
    #[serde(flatten)]
    pub duty: Duty,
    /// What was done about it, the oldest first.
    pub evidence: Vec<DutyEvidence>,
}

/// Which duties a list has.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Reports of breaches, or all but those.
    pub breaches: bool,
    /// Those of this kind.
    pub kind: Option<DutyKind>,
    /// Those of this person.
    pub subject: Option<String>,
    /// Those that are so far.
    pub status: Option<DutyStatus>,
    /// Those that are open and end before that time.
    pub due_before: Option<DateTime<Utc>>,
}

impl Filter {
    fn query(&self) -> duties::BoxedQuery<'static, diesel::pg::Pg> {
        let query = duties::table.into_boxed();
        let mut query = if self.breaches {
            query.filter(duties::kind.eq(DutyKind::BreachReport))
        } else {
            query.filter(duties::kind.ne(DutyKind::BreachReport))
        };
        if let Some(kind) = self.kind {
            query = query.filter(duties::kind.eq(kind));
        }
        if let Some(subject) = &self.subject {
            query = query.filter(duties::subject.eq(subject.clone()));
        }
        if let Some(status) = self.status {
            query = query.filter(duties::status.eq(status));
        }
        if let Some(before) = self.due_before {
            query = query.filter(duties::closed_at.is_null().and(duties::due_at.lt(before)));
        }
        query
    }
}

/// Writes a new duty.
pub async fn insert(conn: &mut Conn, duty: &Duty) -> QueryResult<()> {
    diesel::insert_into(duties::table).values(duty).execute(conn).await.map(drop)
}

/// Writes a duty that was changed.
pub async fn update(conn: &mut Conn, duty: &Duty) -> QueryResult<()> {
    diesel::update(duty).set(duty).execute(conn).await.map(drop)
}

/// Writes what was done about a duty.
pub async fn note(conn: &mut Conn, evidence: &DutyEvidence) -> QueryResult<()> {
    diesel::insert_into(duty_evidence::table).values(evidence).execute(conn).await.map(drop)
}

/// What was done about a duty, the oldest first.
pub async fn evidence(conn: &mut Conn, duty_id: Uuid) -> QueryResult<Vec<DutyEvidence>> {
    duty_evidence::table
        .filter(duty_evidence::duty_id.eq(duty_id))
        .order(duty_evidence::id)
        .select(DutyEvidence::as_select())
        .load(conn)
        .await
}

/// The duty, locked until the end of the transaction.
pub async fn lock(conn: &mut Conn, id: Uuid) -> QueryResult<Option<Duty>> {
    duties::table.find(id).select(Duty::as_select()).for_update().first(conn).await.optional()
}

/// The open duties that led to an erasure, locked.
pub async fn lock_of_erasure(conn: &mut Conn, erasure_id: Uuid) -> QueryResult<Vec<Duty>> {
    duties::table
        .filter(duties::erasure_id.eq(erasure_id).and(duties::closed_at.is_null()))
        .select(Duty::as_select())
        .for_update()
        .load(conn)
        .await
}

/// Up to `limit` duties that are late, which nobody was told of; locked, and nobody else's.
pub async fn lock_overdue(conn: &mut Conn, now: DateTime<Utc>, limit: usize) -> QueryResult<Vec<Duty>> {
    duties::table
        .filter(duties::due_at.le(now).and(duties::overdue_at.is_null()).and(duties::closed_at.is_null()))
        .order(duties::due_at)
        .limit(i64::try_from(limit).unwrap_or(i64::MAX))
        .select(Duty::as_select())
        .for_update()
        .skip_locked()
        .load(conn)
        .await
}

/// The duty and what was done about it, if there is one: a report of a breach, or a request.
pub async fn find(conn: &mut Conn, id: Uuid, breach: bool) -> QueryResult<Option<DutyRecord>> {
    let duty: Option<Duty> = duties::table.find(id).select(Duty::as_select()).first(conn).await.optional()?;
    let Some(duty) = duty.filter(|duty| (duty.kind == DutyKind::BreachReport) == breach) else {
        return Ok(None);
    };
    let evidence = evidence(conn, id).await?;
    Ok(Some(DutyRecord { duty, evidence }))
}

/// Up to `limit` duties, the newest first, beginning below the id `after`.
pub async fn list(
    conn: &mut Conn,
    filter: &Filter,
    after: Option<Uuid>,
    limit: i64,
) -> QueryResult<Vec<Duty>> {
    let mut query = filter.query();
    if let Some(after) = after {
        query = query.filter(duties::id.lt(after));
    }
    query.order(duties::id.desc()).limit(limit).select(Duty::as_select()).load(conn).await
}

/// How many duties a list has.
pub async fn count(conn: &mut Conn, filter: &Filter) -> QueryResult<i64> {
    filter.query().count().get_result(conn).await
}
