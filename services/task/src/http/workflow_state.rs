use actix_web::web::{Data, Json};
use bhiv_auth::require::{TaskRead, TaskWrite};
use bhiv_outbox::Fault;
use bhiv_service::Context;
use bhiv_types::State as _;
use bhiv_web::{Can, MayAnswer, Problem, Result, Valid, ValidQuery};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::commands::patch_task::{PatchTask, PatchTaskError};
use crate::domain::ids::TaskId;
use crate::domain::task::{StateChange, TaskChange, TaskStatus};
use crate::store::task::{self, Task};
use crate::store::transition::{self, Transition};

/// Whose state.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReadState {
    /// The task.
    task_id: TaskId,
}

/// Where a task stands, how it came there, and where it may go.
#[derive(Debug, Serialize, ToSchema)]
pub struct WorkflowState {
    /// The task.
    task_id: TaskId,
    /// Where it stands.
    current: TaskStatus,
    /// Where it stood before; null if it never moved.
    previous: Option<TaskStatus>,
    /// Where it may go from here.
    allowed: Vec<TaskStatus>,
    /// How it came there, the oldest first.
    transitions: Vec<Transition>,
}

pub async fn read(
    _: Can<TaskRead>,
    ValidQuery(ReadState { task_id }): ValidQuery<ReadState>,
    _: MayAnswer<404>,
    service: Data<Context>,
) -> Result<Json<WorkflowState>> {
    let task = task::find(&mut *service.read().await?, task_id).await?;
    state_of(&service, task.ok_or_else(|| Problem::not_found(format!("task/{task_id}")))?).await
}

pub async fn move_(
    who: Can<TaskWrite>,
    Valid(StateChange { task_id, state }): Valid<StateChange>,
    service: Data<Context>,
) -> Result<Json<WorkflowState>> {
    let change = TaskChange { status: Some(state), ..TaskChange::default() };
    let moved = service.run(who.origin(), PatchTask { id: task_id, change }).await;
    let task = moved.map_err(|fault| match fault {
        // Here the id is part of the input, and not of the address.
        Fault::Refused(PatchTaskError::NotFound(id)) => {
            Problem::unknown_reference("/task_id", format!("task/{id}"))
        }
        fault => fault.into(),
    })?;
    state_of(&service, task).await
}

async fn state_of(service: &Context, task: Task) -> Result<Json<WorkflowState>> {
    let transitions = transition::of(&mut *service.read().await?, task.id).await?;
    Ok(Json(WorkflowState {
        task_id: task.id,
        current: task.status,
        previous: transitions.last().map(|last| last.from),
        allowed: task.status.next().to_vec(),
        transitions,
    }))
}
