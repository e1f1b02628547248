use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use bhiv_db::DieselError;
use bhiv_outbox::{Command, Fault, Refusal, Tx};
use bhiv_types::{IllegalTransition, Patch, State as _};
use chrono::{DateTime, Utc};

use super::save_task::save_task;
use crate::domain::ids::TaskId;
use crate::domain::task::{Checklist, TaskChange, TaskStatus};
use crate::store::task::{self, Task};

/// Changes fields of a task, moves it, or both.
#[derive(Debug)]
pub struct PatchTask {
    /// Which task.
    pub id: TaskId,
    /// What changes.
    pub change: TaskChange,
}

/// Why a task stays as it is.
#[derive(Debug, thiserror::Error)]
pub enum PatchTaskError {
    #[error("there is no task {0}")]
    NotFound(TaskId),
    #[error(transparent)]
    Status(#[from] IllegalTransition),
    #[error("{1} is over; it is {2}")]
    Past(&'static str, DateTime<Utc>, DateTime<Utc>),
    #[error("there is no task {0}")]
    NoTask(TaskId),
    #[error("tasks would wait for each other: {}", chain(.0))]
    Cycle(Vec<TaskId>),
    #[error("it waits for {}", chain(.0))]
    Waits(Vec<TaskId>),
    #[error("of its checklist is still to be done: {}", .0.join(", "))]
    Unchecked(Vec<String>),
}

impl Refusal for PatchTaskError {}

fn chain(ids: &[TaskId]) -> String {
    ids.iter().map(|id| format!("task/{id}")).collect::<Vec<_>>().join(", ")
}

impl Command for PatchTask {
    type Output = Task;
    type Refusal = PatchTaskError;

    fn is_alone(&self) -> bool {
        self.change.depends_on.is_some()
    }

    async fn run(&self, tx: &mut Tx) -> Result<Task, Fault<PatchTaskError>> {
        if self.change.depends_on.is_some() {
            task::lock_dependencies(tx.conn()).await?;
        }
        let before = task::lock(tx.conn(), self.id).await?.ok_or(PatchTaskError::NotFound(self.id))?;
        let now = tx.now();
        for (field, change, before) in [
            ("/due_date", &self.change.due_date, before.due_date),
            ("/escalate_at", &self.change.escalate_at, before.escalate_at),
        ] {
            if let Patch::Set(at) = change
                && *at < now
                && before != Some(*at)
            {
                return Err(PatchTaskError::Past(field, *at, now).into());
            }
        }
        let mut after = before.clone();
        apply(self.change.clone(), &mut after).map_err(PatchTaskError::from)?;
        if after == before {
            return Ok(before);
        }
        if after.depends_on != before.depends_on {
            if let Some(id) = missing(tx, &after.depends_on).await? {
                return Err(PatchTaskError::NoTask(id).into());
            }
            if let Some(circle) = circle(tx, after.id, &after.depends_on).await? {
                return Err(PatchTaskError::Cycle(circle).into());
            }
        }
        // What is done stays done: its checklist is not opened again, and it does not come to wait for others.
        if after.status != before.status || after.status == TaskStatus::Completed {
            check_move(tx, &after).await?;
        }
        Ok(save_task(tx, &before, after, None).await?)
    }
}

/// What is begun or done waits for nothing any more; what is done has a checklist that is done.
async fn check_move(tx: &mut Tx, task: &Task) -> Result<(), Fault<PatchTaskError>> {
    if matches!(task.status, TaskStatus::InProgress | TaskStatus::Completed) {
        let standings = task::standings(tx.conn(), &task.depends_on).await?;
        let open = standings.into_iter().filter(|(_, status, _)| !status.is_over()).map(|(id, ..)| id);
        let open: Vec<_> = open.collect();
        if !open.is_empty() {
            return Err(PatchTaskError::Waits(open).into());
        }
    }
    let unchecked: Vec<_> = task.checklist.open().map(str::to_owned).collect();
    if task.status == TaskStatus::Completed && !unchecked.is_empty() {
        return Err(PatchTaskError::Unchecked(unchecked).into());
    }
    Ok(())
}

/// The first of these tasks that is not there.
pub async fn missing(tx: &mut Tx, ids: &[TaskId]) -> Result<Option<TaskId>, DieselError> {
    if ids.is_empty() {
        return Ok(None);
    }
    let there: BTreeSet<_> = task::standings(tx.conn(), ids).await?.into_iter().map(|(id, ..)| id).collect();
    Ok(ids.iter().copied().find(|id| !there.contains(id)))
}

/// The way from a task over what it depends on back to itself, if there is one.
async fn circle(
    tx: &mut Tx,
    task: TaskId,
    depends_on: &[TaskId],
) -> Result<Option<Vec<TaskId>>, DieselError> {
    // By whom each was reached: the way back is read from it.
    let mut reached: BTreeMap<TaskId, TaskId> = depends_on.iter().map(|id| (*id, task)).collect();
    let mut next: Vec<_> = depends_on.to_vec();
    while !next.is_empty() && !reached.contains_key(&task) {
        let mut further = Vec::new();
        for (id, _, depends_on) in task::standings(tx.conn(), &next).await? {
            for other in depends_on {
                if let Entry::Vacant(place) = reached.entry(other) {
                    place.insert(id);
                    further.push(other);
                }
            }
        }
        next = further;
    }
    let Some(mut at) = reached.get(&task).copied() else { return Ok(None) };
    let mut way = vec![task];
    while at != task {
        way.push(at);
        at = reached.get(&at).copied().unwrap_or(task);
    }
    way.push(task);
    way.reverse();
    Ok(Some(way))
}

fn apply(change: TaskChange, task: &mut Task) -> Result<(), IllegalTransition> {
    let TaskChange { title, description, assignee_id, priority, due_date, reference, status, .. } = change;
    if let Some(title) = title {
        task.title = title;
    }
    if let Some(priority) = priority {
        task.priority = priority;
    }
    if let Some(labels) = change.labels {
        task.labels = labels;
    }
    if let Some(checklist) = change.checklist {
        task.checklist = Checklist(checklist);
    }
    if let Some(depends_on) = change.depends_on {
        task.depends_on = depends_on;
    }
    description.apply(&mut task.description);
    assignee_id.apply(&mut task.assignee_id);
    due_date.apply(&mut task.due_date);
    change.escalate_at.apply(&mut task.escalate_at);
    reference.apply(&mut task.reference);
    if let Some(status) = status.filter(|status| *status != task.status) {
        task.status = task.status.become_(status)?;
    }
    Ok(())
}
