use bhiv_db::{Conn, keyset, words};
use chrono::{DateTime, Utc};
use diesel::dsl::{exists, not};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::domain::action::{Action, Actions};
use crate::domain::ids::WorkflowId;
use crate::schema::{workflow_runs, workflows};

/// What is done about an event.
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
#[diesel(table_name = workflows, treat_none_as_default_value = false, treat_none_as_null = true)]
pub struct Workflow {
    /// Its id.
    pub id: WorkflowId,
    /// Grows by one with each change.
    pub version: i64,
    /// What it does, in plain words.
    pub name: String,
    /// Public name of the event, for example `lead_created`.
    pub trigger: String,
    /// When it is done, in CEL over `event` and `data`; always, if there is none.
    pub condition: Option<String>,
    /// What is done, in this order.
    #[schema(value_type = Vec<Action>)]
    pub actions: Actions,
    /// Whether it is done at all.
    pub enabled: bool,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
}

/// Which workflows a list has.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Those that this event triggers.
    pub trigger: Option<String>,
    /// Those that are done, or are not.
    pub enabled: Option<bool>,
    /// Those with words in their name that begin with the words of this text.
    pub text: Option<String>,
}

impl Filter {
    fn query(&self) -> workflows::BoxedQuery<'static, diesel::pg::Pg> {
        let mut query = workflows::table.into_boxed();
        if let Some(trigger) = &self.trigger {
            query = query.filter(workflows::trigger.eq(trigger.clone()));
        }
        if let Some(enabled) = self.enabled {
            query = query.filter(workflows::enabled.eq(enabled));
        }
        if let Some(text) = &self.text {
            query = query.filter(words!(workflows, text));
        }
        query
    }
}

/// Writes a new workflow.
pub async fn insert(conn: &mut Conn, workflow: &Workflow) -> QueryResult<()> {
    diesel::insert_into(workflows::table).values(workflow).execute(conn).await.map(drop)
}

/// The workflow, if there is one.
pub async fn find(conn: &mut Conn, id: WorkflowId) -> QueryResult<Option<Workflow>> {
    workflows::table.find(id).select(Workflow::as_select()).first(conn).await.optional()
}

/// The workflow, locked until the end of the transaction.
pub async fn lock(conn: &mut Conn, id: WorkflowId) -> QueryResult<Option<Workflow>> {
    workflows::table.find(id).select(Workflow::as_select()).for_update().first(conn).await.optional()
}

/// The enabled workflows that `trigger` triggers and that have not run for the event yet, the oldest first.
pub async fn triggered(conn: &mut Conn, trigger: &str, event_id: Uuid) -> QueryResult<Vec<Workflow>> {
    let runs = workflow_runs::table.filter(workflow_runs::workflow_id.eq(workflows::id));
    let enabled = workflows::table.filter(workflows::trigger.eq(trigger)).filter(workflows::enabled);
    let due = enabled.filter(not(exists(runs.filter(workflow_runs::event_id.eq(event_id)))));
    due.order(workflows::id).select(Workflow::as_select()).load(conn).await
}

/// Writes a workflow that was changed.
pub async fn update(conn: &mut Conn, workflow: &Workflow) -> QueryResult<()> {
    diesel::update(workflow).set(workflow).execute(conn).await.map(drop)
}

/// Removes a workflow.
pub async fn delete(conn: &mut Conn, id: WorkflowId) -> QueryResult<()> {
    diesel::delete(workflows::table.find(id)).execute(conn).await.map(drop)
}

/// A place in a list, in the order of the list.
#[derive(Clone, Debug)]
pub enum Order {
    /// By when they were created.
    CreatedAt(Option<(DateTime<Utc>, WorkflowId)>),
    /// By when they were last changed.
    UpdatedAt(Option<(DateTime<Utc>, WorkflowId)>),
    /// By name.
    Name(Option<(String, WorkflowId)>),
}

/// Up to `limit` workflows in this order, or the reverse, beginning after the place. They are few: people write them.
pub async fn list(
    conn: &mut Conn,
    filter: &Filter,
    order: Order,
    descending: bool,
    limit: i64,
) -> QueryResult<Vec<Workflow>> {
    let query = filter.query();
    let query = match order {
        Order::CreatedAt(after) => keyset!(query, workflows::created_at, workflows::id, descending, after),
        Order::UpdatedAt(after) => keyset!(query, workflows::updated_at, workflows::id, descending, after),
        Order::Name(after) => keyset!(query, workflows::name, workflows::id, descending, after),
    };
    query.limit(limit).select(Workflow::as_select()).load(conn).await
}

/// How many workflows a list has.
pub async fn count(conn: &mut Conn, filter: &Filter) -> QueryResult<i64> {
    filter.query().count().get_result(conn).await
}
