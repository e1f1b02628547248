//! What task tells others: the only place where its events are built.

use std::collections::BTreeMap;

use bhiv_events::task::{
    ApprovalDecided, ApprovalRequested, FeedbackReceived, TaskCompleted, TaskCreated, TaskEscalated,
    TaskOverdue, TaskReviewed, TaskSlaBreached, WorkflowPublished, WorkflowTriggered,
};
use bhiv_outbox::Tx;
use uuid::Uuid;

use crate::domain::task::TaskStatus;
use crate::store::approval::Approval;
use crate::store::feedback::Feedback;
use crate::store::review::Review;
use crate::store::run::Run;
use crate::store::task::Task;

/// A task was created.
pub fn task_created(tx: &mut Tx, task: &Task) {
    let event = TaskCreated {
        task_id: task.id.0,
        title: task.title.clone(),
        reference: task.reference.clone(),
        priority: task.priority.to_string(),
        due_at: task.due_date,
        workflow_id: task.workflow_id.map(|id| id.0),
    };
    tx.record(task.version, &event);
}

/// A task moved to the status that it has now.
pub fn task_moved(tx: &mut Tx, task: &Task, reason: Option<String>) {
    let (task_id, reference) = (task.id.0, task.reference.clone());
    match task.status {
        TaskStatus::Completed => {
            let (title, assignee_id) = (task.title.clone(), task.assignee_id.clone());
            tx.record(task.version, &TaskCompleted { task_id, title, reference, assignee_id });
        }
        TaskStatus::Escalated => {
            tx.record(task.version, &TaskEscalated { task_id, reference, reason });
        }
        // Nobody has asked to hear of these.
        TaskStatus::Pending | TaskStatus::InProgress | TaskStatus::Blocked | TaskStatus::Cancelled => {}
    }
}

/// A task should be done by now and is not.
pub fn task_overdue(tx: &mut Tx, task: &Task) {
    let Some(due_at) = task.due_date else { return };
    let event = TaskOverdue {
        task_id: task.id.0,
        title: task.title.clone(),
        reference: task.reference.clone(),
        assignee_id: task.assignee_id.clone(),
        due_at,
    };
    tx.record(task.version, &event);
}

/// Somebody looked at a task, whose version is this, that was done.
pub fn task_reviewed(tx: &mut Tx, review: &Review, version: i64) {
    let event = TaskReviewed {
        task_id: review.task_id.0,
        review_id: review.id.0,
        assignee_id: review.assignee_id.clone(),
        reviewer_id: review.reviewer_id.clone(),
        status: review.status.to_string(),
        dhi_score: review.dhi_score,
    };
    tx.record(version, &event);
}

/// A customer said how an order went, or changed what they said.
pub fn feedback_received(tx: &mut Tx, feedback: &Feedback) {
    let event = FeedbackReceived {
        feedback_id: feedback.id.0,
        order_id: feedback.order_id,
        rating: feedback.rating,
        categories: feedback.categories.clone(),
        has_comment: feedback.comment.is_some(),
    };
    tx.record(feedback.version, &event);
}

/// The workflow of this name did what it does.
pub fn workflow_triggered(tx: &mut Tx, name: &str, run: &Run) {
    let event = WorkflowTriggered {
        run_id: run.id.0,
        workflow_id: run.workflow_id.0,
        workflow: name.to_owned(),
        event_id: run.event_id,
        event_type: run.event_type.clone(),
        effects: run.effects.clone(),
    };
    tx.record(1, &event);
}

/// A run says something in its workflow's own words; answers the id of what it said.
pub fn workflow_published(
    tx: &mut Tx,
    run: &Run,
    event_type: &str,
    payload: &BTreeMap<String, String>,
) -> Uuid {
    let event = WorkflowPublished {
        published_id: tx.id(),
        event_type: event_type.to_owned(),
        payload: payload.iter().map(|(name, text)| (name.clone(), text.clone().into())).collect(),
        run_id: run.id.0,
        workflow_id: run.workflow_id.0,
    };
    tx.record(1, &event);
    event.published_id
}

/// A run asks somebody.
pub fn approval_requested(tx: &mut Tx, approval: &Approval) {
    let event = ApprovalRequested {
        approval_id: approval.id.0,
        run_id: approval.run_id.0,
        workflow: approval.workflow.clone(),
        question: approval.question.clone(),
        approvers: approval.approvers.clone(),
        expires_at: approval.expires_at,
    };
    tx.record(approval.version, &event);
}

/// Somebody has answered, or nobody will.
pub fn approval_decided(tx: &mut Tx, approval: &Approval) {
    let event = ApprovalDecided {
        approval_id: approval.id.0,
        run_id: approval.run_id.0,
        status: approval.status.to_string(),
        decided_by: approval.decided_by.clone(),
    };
    tx.record(approval.version, &event);
}

/// Nobody has begun a task in time.
pub fn task_sla_breached(tx: &mut Tx, task: &Task) {
    let Some(respond_by) = task.respond_by else { return };
    let event = TaskSlaBreached {
        task_id: task.id.0,
        title: task.title.clone(),
        reference: task.reference.clone(),
        assignee_id: task.assignee_id.clone(),
        priority: task.priority.to_string(),
        respond_by,
    };
    tx.record(task.version, &event);
}
