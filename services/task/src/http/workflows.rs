use actix_web::web::{Data, Json};
use bhiv_auth::require::{TaskAdmin, TaskRead};
use bhiv_service::Context;
use bhiv_web::history::{self, AsOf, Change, ListHistory};
use bhiv_web::{
    Bulk, Can, Created, Cursor, Id, Ids, Limit, NoContent, Page, Problem, Result, Sort, Valid, ValidQuery,
    codes,
};
use bhiv_webhook::Sender;
use chrono::{DateTime, Utc};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::commands::create_workflow::CreateWorkflow;
use crate::commands::delete_workflow::DeleteWorkflow;
use crate::commands::patch_workflow::PatchWorkflow;
use crate::domain::action::Actions;
use crate::domain::backtest::{Backtest, Trial};
use crate::domain::facts::Facts;
use crate::domain::ids::WorkflowId;
use crate::domain::run::decide;
use crate::domain::workflow::{NewWorkflow, WorkflowChange};
use crate::store::heard::{self, HeardEvent};
use crate::store::workflow::{self, Filter, Order, Workflow};

/// What workflows can be sorted by.
#[derive(Clone, Copy, Debug, strum::EnumString, strum::VariantNames)]
#[strum(serialize_all = "snake_case")]
pub enum WorkflowSort {
    CreatedAt,
    UpdatedAt,
    Name,
}

/// A field, or its reverse.
type WorkflowOrder = Sort<WorkflowSort>;

/// Which workflows, and how many of them.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ListWorkflows {
    /// Those that this event triggers, for example `lead_created`.
    trigger: Option<String>,
    /// Those that are done, or those that are not.
    enabled: Option<bool>,
    /// Those with words in their name that begin with the words of this text.
    #[schema(min_length = 1, max_length = 200)]
    q: Option<String>,
    /// In this order; the newest first, unless it says otherwise.
    sort: Option<WorkflowOrder>,
    #[serde(default)]
    limit: Limit,
    cursor: Option<Cursor>,
}

pub async fn create(
    who: Can<TaskAdmin>,
    Valid(new): Valid<NewWorkflow>,
    service: Data<Context>,
    sender: Data<Sender>,
) -> Result<Created<Workflow>> {
    check_receivers(&sender, Some(&new.actions))?;
    let workflow = service.run(who.origin(), CreateWorkflow(new)).await?;
    Ok(Created::at(format!("/task/workflows/{}", workflow.id), workflow))
}

pub async fn list(
    _: Can<TaskRead>,
    ValidQuery(query): ValidQuery<ListWorkflows>,
    service: Data<Context>,
) -> Result<Json<Page<Workflow>>> {
    let ListWorkflows { trigger, enabled, q, sort, limit, cursor } = query;
    let filter = Filter { trigger, enabled, text: q };
    let Sort { by, descending } = sort.unwrap_or(Sort { by: WorkflowSort::CreatedAt, descending: true });
    let order = match by {
        WorkflowSort::CreatedAt => Order::CreatedAt(Cursor::place(cursor)?),
        WorkflowSort::UpdatedAt => Order::UpdatedAt(Cursor::place(cursor)?),
        WorkflowSort::Name => Order::Name(Cursor::place(cursor)?),
    };
    let place = |workflow: &Workflow| match by {
        WorkflowSort::CreatedAt => Cursor::at(&workflow.created_at, workflow.id),
        WorkflowSort::UpdatedAt => Cursor::at(&workflow.updated_at, workflow.id),
        WorkflowSort::Name => Cursor::at(&workflow.name, workflow.id),
    };
    let mut conn = service.read().await?;
    let workflows = workflow::list(&mut conn, &filter, order, descending, limit.and_one()).await?;
    let total = workflow::count(&mut conn, &filter).await?;
    Ok(Json(Page::new(workflows, limit, total, place)))
}

pub async fn read(
    _: Can<TaskRead>,
    Id(id): Id<WorkflowId>,
    ValidQuery(AsOf { as_of }): ValidQuery<AsOf>,
    service: Data<Context>,
) -> Result<Json<Workflow>> {
    let mut conn = service.read().await?;
    if let Some(at) = as_of {
        return history::as_of(&mut conn, &format!("workflow/{id}"), at).await.map(Json);
    }
    let workflow = workflow::find(&mut conn, id).await?;
    workflow.map(Json).ok_or_else(|| Problem::not_found(format!("workflow/{id}")))
}

pub async fn history(
    _: Can<TaskRead>,
    Id(id): Id<WorkflowId>,
    ValidQuery(query): ValidQuery<ListHistory>,
    service: Data<Context>,
) -> Result<Json<Page<Change>>> {
    history::changes(&mut *service.read().await?, &format!("workflow/{id}"), query).await.map(Json)
}

pub async fn patch(
    who: Can<TaskAdmin>,
    Id(id): Id<WorkflowId>,
    Valid(change): Valid<WorkflowChange>,
    service: Data<Context>,
    sender: Data<Sender>,
) -> Result<Json<Workflow>> {
    check_receivers(&sender, change.actions.as_ref())?;
    Ok(Json(service.run(who.origin(), PatchWorkflow { id, change }).await?))
}

/// Many workflows, begun or stopped.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SwitchWorkflows {
    /// Which.
    ids: Ids,
    /// Whether they are done at all.
    enabled: bool,
}

pub async fn bulk(
    who: Can<TaskAdmin>,
    Valid(SwitchWorkflows { ids, enabled }): Valid<SwitchWorkflows>,
    service: Data<Context>,
) -> Result<Json<Bulk>> {
    let change = WorkflowChange { enabled: Some(enabled), ..WorkflowChange::default() };
    let command = |id| (id, PatchWorkflow { id: WorkflowId(id), change: change.clone() });
    Ok(Json(service.run_each(&who.origin(), ids.0.into_iter().map(command).collect()).await))
}

pub async fn delete(
    who: Can<TaskAdmin>,
    Id(id): Id<WorkflowId>,
    service: Data<Context>,
) -> Result<NoContent> {
    service.run(who.origin(), DeleteWorkflow(id)).await?;
    Ok(NoContent)
}

/// Who is told is of the public internet, unless an operator says otherwise.
fn check_receivers(sender: &Sender, actions: Option<&Actions>) -> Result<()> {
    let receivers = actions.into_iter().flat_map(Actions::receivers);
    let mut faults =
        receivers.filter_map(|(pointer, url)| Some((pointer, sender.check(url).err()?))).peekable();
    if faults.peek().is_none() {
        return Ok(());
    }
    let problem = Problem::from(codes::INVALID_INPUT);
    Err(faults.fold(problem, |problem, (pointer, fault)| problem.at(pointer, fault)))
}

/// Tries a workflow on events that were heard. Nothing is done.
pub async fn backtest(
    _: Can<TaskAdmin>,
    Id(id): Id<WorkflowId>,
    Valid(trial): Valid<Trial>,
    service: Data<Context>,
) -> Result<Json<Backtest>> {
    let mut conn = service.read().await?;
    let saved = workflow::find(&mut conn, id).await?;
    let saved = saved.ok_or_else(|| Problem::not_found(format!("workflow/{id}")))?;
    let Trial { draft, from, until, limit } = trial;
    let (trigger, condition, actions) = match draft {
        Some(draft) => {
            draft.check()?;
            (draft.trigger, draft.condition, draft.actions)
        }
        None => (saved.trigger, saved.condition, saved.actions),
    };
    let period = (from.unwrap_or(DateTime::UNIX_EPOCH), until.unwrap_or(DateTime::<Utc>::MAX_UTC));
    let limit = usize::from(limit.unwrap_or(1000));
    let mut events = heard::list(&mut conn, &trigger, period, and_one(limit)).await?;
    drop(conn);
    let truncated = events.len() > limit;
    events.truncate(limit);
    // Conditions may take their time: not on the thread that answers requests.
    let tried = actix_web::web::block(move || {
        let mut result = Backtest { truncated, ..Backtest::default() };
        for HeardEvent { event_id, event, data, heard_at, .. } in events {
            let facts = Facts { event, data };
            result.add(event_id, heard_at, decide(condition.as_deref(), &actions, &facts));
        }
        result
    });
    tried.await.map(Json).map_err(|error| Problem::internal(&error))
}

fn and_one(limit: usize) -> i64 {
    i64::try_from(limit + 1).unwrap_or(i64::MAX)
}
