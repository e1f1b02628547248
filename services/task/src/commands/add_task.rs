use bhiv_db::DieselError;
use bhiv_outbox::Tx;
use chrono::{DateTime, TimeDelta, Utc};

use super::note_change;
use crate::domain::ids::{RecurringId, WorkflowId};
use crate::domain::task::{Checklist, NewTask, TaskStatus};
use crate::events;
use crate::store::service_level::{self, ServiceLevel};
use crate::store::task::{self, Task};

/// Who makes a task.
#[derive(Clone, Copy, Debug)]
pub enum Maker {
    /// Somebody who asks for it.
    Person,
    /// A workflow.
    Workflow(WorkflowId),
    /// Its time has come again.
    Clock(RecurringId),
}

/// Adds a task, with what is promised of its priority: what all who make tasks have in common.
pub async fn add_task(tx: &mut Tx, new: NewTask, by: Maker) -> Result<Task, DieselError> {
    let now = tx.now();
    let level = service_level::find(tx.conn(), new.priority).await?;
    let within = |minutes: Option<i32>| minutes.map(|minutes| now + TimeDelta::minutes(minutes.into()));
    let promised = |of: fn(&ServiceLevel) -> Option<i32>| -> Option<DateTime<Utc>> {
        level.as_ref().and_then(|level| within(of(level)))
    };
    let task = Task {
        id: tx.id().into(),
        version: 1,
        correlation_id: tx.correlation(),
        title: new.title,
        description: new.description,
        assignee_id: new.assignee_id,
        priority: new.priority,
        due_date: new.due_date.or_else(|| promised(|level| level.resolve_within_minutes)),
        reference: new.reference,
        status: TaskStatus::Pending,
        workflow_id: match by {
            Maker::Workflow(id) => Some(id),
            Maker::Person | Maker::Clock(_) => None,
        },
        created_at: now,
        updated_at: now,
        labels: new.labels,
        checklist: Checklist(new.checklist),
        depends_on: new.depends_on,
        completed_at: None,
        overdue_at: None,
        escalate_at: new.escalate_at.or_else(|| promised(|level| level.escalate_after_minutes)),
        respond_by: promised(|level| level.respond_within_minutes),
        responded_at: None,
        breached_at: None,
        recurring_id: match by {
            Maker::Clock(id) => Some(id),
            Maker::Person | Maker::Workflow(_) => None,
        },
    };
    task::insert(tx.conn(), &task).await?;
    events::task_created(tx, &task);
    note_change(tx, "task.create", None, &task);
    Ok(task)
}
