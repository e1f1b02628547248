use bhiv_db::Conn;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::domain::approval::ApprovalStatus;
use crate::domain::ids::{ApprovalId, RunId};
use crate::schema::approvals;

/// What a workflow asks somebody before it goes on.
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
#[diesel(table_name = approvals, treat_none_as_default_value = false, treat_none_as_null = true)]
pub struct Approval {
    /// Its id.
    pub id: ApprovalId,
    /// Grows by one with each change.
    pub version: i64,
    /// The causal story that it belongs to.
    pub correlation_id: Uuid,
    /// The run that waits for the answer.
    pub run_id: RunId,
    /// Name of the workflow.
    pub workflow: String,
    /// What is asked.
    pub question: String,
    /// Any of these users may answer.
    pub approvers: Vec<String>,
    /// What became of it.
    pub status: ApprovalStatus,
    /// No answer until then is a no.
    pub expires_at: Option<DateTime<Utc>>,
    /// Who answered.
    pub decided_by: Option<String>,
    /// When.
    pub decided_at: Option<DateTime<Utc>>,
    /// In their words.
    pub comment: Option<String>,
    /// When it was asked.
    pub created_at: DateTime<Utc>,
}

/// Which questions a list has.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Those that this became of.
    pub status: Option<ApprovalStatus>,
    /// Those that this user may answer.
    pub approver: Option<String>,
    /// Those of this run.
    pub run: Option<RunId>,
}

impl Filter {
    fn query(&self) -> approvals::BoxedQuery<'static, diesel::pg::Pg> {
        let mut query = approvals::table.into_boxed();
        if let Some(status) = self.status {
            query = query.filter(approvals::status.eq(status));
        }
        if let Some(approver) = &self.approver {
            query = query.filter(approvals::approvers.contains(vec![approver.clone()]));
        }
        if let Some(run) = self.run {
            query = query.filter(approvals::run_id.eq(run));
        }
        query
    }
}

/// Writes a new question.
pub async fn insert(conn: &mut Conn, approval: &Approval) -> QueryResult<()> {
    diesel::insert_into(approvals::table).values(approval).execute(conn).await.map(drop)
}

/// The question, if there is one.
pub async fn find(conn: &mut Conn, id: ApprovalId) -> QueryResult<Option<Approval>> {
    approvals::table.find(id).select(Approval::as_select()).first(conn).await.optional()
}

/// The question that a run waits for, if it does. Whoever asks holds the run: so there is one order of locks.
pub async fn lock_pending(conn: &mut Conn, run: RunId) -> QueryResult<Option<Approval>> {
    approvals::table
        .filter(approvals::run_id.eq(run).and(approvals::status.eq(ApprovalStatus::Pending)))
        .select(Approval::as_select())
        .for_update()
        .first(conn)
        .await
        .optional()
}

/// Writes a question that was answered.
pub async fn update(conn: &mut Conn, approval: &Approval) -> QueryResult<()> {
    diesel::update(approval).set(approval).execute(conn).await.map(drop)
}

/// Up to `limit` questions, the newest first, beginning below the id `after`.
pub async fn list(
    conn: &mut Conn,
    filter: &Filter,
    after: Option<Uuid>,
    limit: i64,
) -> QueryResult<Vec<Approval>> {
    let mut query = filter.query();
    if let Some(after) = after {
        query = query.filter(approvals::id.lt(ApprovalId(after)));
    }
    query.order(approvals::id.desc()).limit(limit).select(Approval::as_select()).load(conn).await
}

/// How many questions a list has.
pub async fn count(conn: &mut Conn, filter: &Filter) -> QueryResult<i64> {
    filter.query().count().get_result(conn).await
}
