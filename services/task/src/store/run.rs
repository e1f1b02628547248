use bhiv_db::{Conn, keyset};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::domain::ids::{RunId, WorkflowId};
use crate::domain::run::{Outcome, Plan, StepRecord, Steps, WaitsFor};
use crate::schema::workflow_runs;

/// What came of a workflow when its event arrived.
#[derive(Clone, Debug, PartialEq, Queryable, Selectable, Insertable, Serialize, Deserialize, ToSchema)]
#[diesel(table_name = workflow_runs, treat_none_as_default_value = false)]
pub struct Run {
    /// Its id.
    pub id: RunId,
    /// The workflow.
    pub workflow_id: WorkflowId,
    /// The workflow's version at that time.
    pub workflow_version: i64,
    /// The event.
    pub event_id: Uuid,
    /// Public name of the event.
    pub event_type: String,
    /// The event's causal story.
    pub correlation_id: Uuid,
    /// What came of it.
    pub outcome: Outcome,
    /// What each action did, for example `created task/0190...`.
    pub effects: Vec<String>,
    /// Why a condition could not be told, or the text of an action could not be made.
    pub error: Option<String>,
    /// When.
    pub created_at: DateTime<Utc>,
    /// How often it was tried.
    pub attempts: i32,
    /// Its steps, in their order; none if it had nothing to do, or is older than steps are kept.
    #[serde(default)]
    #[schema(value_type = Vec<StepRecord>)]
    pub steps: Steps,
    /// What it waits for, if it is not over.
    #[serde(default)]
    pub waits_for: Option<WaitsFor>,
    /// When it goes on by itself.
    #[serde(default)]
    pub wake_at: Option<DateTime<Utc>>,
}

/// Which runs a list has.
#[derive(Clone, Copy, Debug, Default)]
pub struct Filter {
    /// Those of this workflow.
    pub workflow: Option<WorkflowId>,
    /// Those about this event.
    pub event: Option<Uuid>,
    /// Those in this causal story.
    pub story: Option<Uuid>,
    /// Those that ended so.
    pub outcome: Option<Outcome>,
    /// Those that began then or later.
    pub from: Option<DateTime<Utc>>,
    /// Those that began before then.
    pub until: Option<DateTime<Utc>>,
}

impl Filter {
    fn query(self) -> workflow_runs::BoxedQuery<'static, diesel::pg::Pg> {
        let mut query = workflow_runs::table.into_boxed();
        if let Some(workflow) = self.workflow {
            query = query.filter(workflow_runs::workflow_id.eq(workflow));
        }
        if let Some(event) = self.event {
            query = query.filter(workflow_runs::event_id.eq(event));
        }
        if let Some(story) = self.story {
            query = query.filter(workflow_runs::correlation_id.eq(story));
        }
        if let Some(outcome) = self.outcome {
            query = query.filter(workflow_runs::outcome.eq(outcome));
        }
        if let Some(from) = self.from {
            query = query.filter(workflow_runs::created_at.ge(from));
        }
        if let Some(until) = self.until {
            query = query.filter(workflow_runs::created_at.lt(until));
        }
        query
    }
}

/// Writes a new run.
pub async fn insert(conn: &mut Conn, run: &Run) -> QueryResult<()> {
    diesel::insert_into(workflow_runs::table).values(run).execute(conn).await.map(drop)
}

/// The run, if there is one.
pub async fn find(conn: &mut Conn, id: RunId) -> QueryResult<Option<Run>> {
    workflow_runs::table.find(id).select(Run::as_select()).first(conn).await.optional()
}

/// The run, locked until the end of the transaction.
pub async fn lock(conn: &mut Conn, id: RunId) -> QueryResult<Option<Run>> {
    workflow_runs::table.find(id).select(Run::as_select()).for_update().first(conn).await.optional()
}

/// Writes how far it is.
pub async fn update(conn: &mut Conn, run: &Run) -> QueryResult<()> {
    let set = (
        workflow_runs::workflow_version.eq(run.workflow_version),
        workflow_runs::outcome.eq(run.outcome),
        workflow_runs::effects.eq(run.effects.clone()),
        workflow_runs::error.eq(run.error.clone()),
        workflow_runs::attempts.eq(run.attempts),
        workflow_runs::steps.eq(run.steps.clone()),
        workflow_runs::waits_for.eq(run.waits_for),
        workflow_runs::wake_at.eq(run.wake_at),
    );
    diesel::update(workflow_runs::table.find(run.id)).set(set).execute(conn).await.map(drop)
}

/// Keeps what a run does until it is known to be done, or forgets it.
pub async fn keep_plan(conn: &mut Conn, id: RunId, plan: Option<&Plan>) -> QueryResult<()> {
    let set = workflow_runs::plan.eq(plan.cloned());
    diesel::update(workflow_runs::table.find(id)).set(set).execute(conn).await.map(drop)
}

/// What a run does that is not known to be done.
pub async fn plan(conn: &mut Conn, id: RunId) -> QueryResult<Option<Plan>> {
    let plan = workflow_runs::table.find(id).select(workflow_runs::plan).first::<Option<Plan>>(conn);
    plan.await.optional().map(Option::flatten)
}

/// Up to `limit` runs that wait for one of these and are due; locked, and nobody else's.
pub async fn lock_due(
    conn: &mut Conn,
    waits_for: &[WaitsFor],
    now: DateTime<Utc>,
    limit: usize,
) -> QueryResult<Vec<Run>> {
    workflow_runs::table
        .filter(workflow_runs::wake_at.le(now).and(workflow_runs::waits_for.eq_any(waits_for.to_vec())))
        .order(workflow_runs::wake_at)
        .limit(i64::try_from(limit).unwrap_or(i64::MAX))
        .select(Run::as_select())
        .for_update()
        .skip_locked()
        .load(conn)
        .await
}

/// Up to `limit` runs by when they began, or the reverse, beginning after the place.
pub async fn list(
    conn: &mut Conn,
    filter: Filter,
    after: Option<(DateTime<Utc>, RunId)>,
    descending: bool,
    limit: i64,
) -> QueryResult<Vec<Run>> {
    let query = keyset!(filter.query(), workflow_runs::created_at, workflow_runs::id, descending, after);
    query.limit(limit).select(Run::as_select()).load(conn).await
}

/// How many runs a list has.
pub async fn count(conn: &mut Conn, filter: Filter) -> QueryResult<i64> {
    filter.query().count().get_result(conn).await
}
