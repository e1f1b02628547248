//! What task tells: tasks, workflows, feedback.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::{contract, sample};

/// A task was created, by a person or by a workflow.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TaskCreated {
    /// Id of the task.
    pub task_id: Uuid,
    /// What is to be done.
    pub title: String,
    /// What it is about, for example `lead/0190...`.
    pub reference: Option<String>,
    /// `low`, `normal`, `high` or `urgent`.
    pub priority: String,
    /// When it should be done.
    pub due_at: Option<DateTime<Utc>>,
    /// The workflow that created it, if one did.
    pub workflow_id: Option<Uuid>,
}

contract!(TaskCreated = Task "task" "task" "created" "v1", "task" / task_id);

impl TaskCreated {
    fn canned() -> Self {
        Self {
            task_id: sample::TASK,
            title: "Follow up with Asha Verma".to_owned(),
            reference: Some(format!("lead/{}", sample::LEAD)),
            priority: "normal".to_owned(),
            due_at: Some(sample::time()),
            workflow_id: Some(sample::WORKFLOW),
        }
    }
}

/// A task was completed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TaskCompleted {
    /// Id of the task.
    pub task_id: Uuid,
    /// What was to be done.
    pub title: String,
    /// What it was about.
    pub reference: Option<String>,
    /// Who it was assigned to.
    pub assignee_id: Option<String>,
}

contract!(TaskCompleted = Task "task" "task" "completed" "v1", "task" / task_id);

impl TaskCompleted {
    fn canned() -> Self {
        Self {
            task_id: sample::TASK,
            title: "Follow up with Asha Verma".to_owned(),
            reference: Some(format!("opportunity/{}", sample::OPPORTUNITY)),
            assignee_id: Some("ravi".to_owned()),
        }
    }
}

/// A task needs more attention than it has.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TaskEscalated {
    /// Id of the task.
    pub task_id: Uuid,
    /// What it is about.
    pub reference: Option<String>,
    /// Why, when it is known.
    pub reason: Option<String>,
}

contract!(TaskEscalated = Task "task" "task" "escalated" "v1", "task" / task_id);

impl TaskEscalated {
    fn canned() -> Self {
        Self {
            task_id: sample::TASK,
            reference: Some(format!("order/{}", sample::ORDER)),
            reason: Some("delivery delayed".to_owned()),
        }
    }
}

/// A task should be done by now and is not.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TaskOverdue {
    /// Id of the task.
    pub task_id: Uuid,
    /// What is to be done.
    pub title: String,
    /// What it is about.
    pub reference: Option<String>,
    /// Who it is assigned to.
    pub assignee_id: Option<String>,
    /// When it should have been done.
    pub due_at: DateTime<Utc>,
}

contract!(TaskOverdue = Task "task" "task" "overdue" "v1", "task" / task_id);

impl TaskOverdue {
    fn canned() -> Self {
        Self {
            task_id: sample::TASK,
            title: "Follow up with Asha Verma".to_owned(),
            reference: Some(format!("lead/{}", sample::LEAD)),
            assignee_id: Some("ravi".to_owned()),
            due_at: sample::time(),
        }
    }
}

/// Nobody has begun a task within the time that is promised of its priority.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TaskSlaBreached {
    /// Id of the task.
    pub task_id: Uuid,
    /// What is to be done.
    pub title: String,
    /// What it is about.
    pub reference: Option<String>,
    /// Who it is assigned to.
    pub assignee_id: Option<String>,
    /// `low`, `normal`, `high` or `urgent`.
    pub priority: String,
    /// When somebody should have begun.
    pub respond_by: DateTime<Utc>,
}

contract!(TaskSlaBreached = Task "task" "task" "sla_breached" "v1", "task" / task_id);

impl TaskSlaBreached {
    fn canned() -> Self {
        Self {
            task_id: sample::TASK,
            title: "Follow up with Asha Verma".to_owned(),
            reference: Some(format!("lead/{}", sample::LEAD)),
            assignee_id: Some("ravi".to_owned()),
            priority: "urgent".to_owned(),
            respond_by: sample::time(),
        }
    }
}

/// Somebody looked at a task that was done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TaskReviewed {
    /// Id of the task.
    pub task_id: Uuid,
    /// Id of the review.
    pub review_id: Uuid,
    /// Who had done it.
    pub assignee_id: Option<String>,
    /// Who looked at it.
    pub reviewer_id: String,
    /// `approved`, `rejected` or `changes_requested`.
    pub status: String,
    /// How well it was done, 0 to 1: compliance .4, efficiency .3, quality .2, timeliness .1.
    pub dhi_score: Option<f64>,
}

contract!(TaskReviewed = Task "task" "task" "reviewed" "v1", "task" / task_id);

impl TaskReviewed {
    fn canned() -> Self {
        Self {
            task_id: sample::TASK,
            review_id: sample::REVIEW,
            assignee_id: Some("ravi".to_owned()),
            reviewer_id: "meera".to_owned(),
            status: "approved".to_owned(),
            dhi_score: Some(0.85),
        }
    }
}

/// A customer said how an order went.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FeedbackReceived {
    /// Id of the feedback.
    pub feedback_id: Uuid,
    /// The order it is about.
    pub order_id: Uuid,
    /// 1, very bad, to 5, very good.
    pub rating: i16,
    /// What it is about, in the customer's choice of words.
    pub categories: Vec<String>,
    /// Whether the customer wrote a comment; task keeps it.
    pub has_comment: bool,
}

contract!(FeedbackReceived = Task "task" "feedback" "received" "v1", "feedback" / feedback_id);

impl FeedbackReceived {
    fn canned() -> Self {
        Self {
            feedback_id: sample::FEEDBACK,
            order_id: sample::ORDER,
            rating: 5,
            categories: vec!["speed".to_owned()],
            has_comment: true,
        }
    }
}

/// A workflow ran because of an event.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct WorkflowTriggered {
    /// Id of the run.
    pub run_id: Uuid,
    /// The workflow.
    pub workflow_id: Uuid,
    /// Its name.
    pub workflow: String,
    /// The event that triggered it.
    pub event_id: Uuid,
    /// Public name of that event.
    pub event_type: String,
    /// What each action did, for example `created task/0190...`.
    pub effects: Vec<String>,
}

contract!(WorkflowTriggered = Task "task" "workflow" "triggered" "v1", "workflow_run" / run_id);

impl WorkflowTriggered {
    fn canned() -> Self {
        Self {
            run_id: sample::RUN,
            workflow_id: sample::WORKFLOW,
            workflow: "follow up a lead".to_owned(),
            event_id: sample::EVENT,
            event_type: "lead_created".to_owned(),
            effects: vec![format!("created task/{}", sample::TASK)],
        }
    }
}

/// A workflow published an event of its own kind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct WorkflowPublished {
    /// Id of what was published.
    pub published_id: Uuid,
    /// What happened, in the workflow's words; no name of this catalogue.
    pub event_type: String,
    /// What there is to say about it.
    pub payload: Map<String, Value>,
    /// The run that published it.
    pub run_id: Uuid,
    /// The workflow.
    pub workflow_id: Uuid,
}

contract!(WorkflowPublished = Task "task" "workflow" "published" "v1", "published" / published_id);

impl WorkflowPublished {
    fn canned() -> Self {
        Self {
            published_id: sample::CUSTOM,
            event_type: "lead.needs_a_call".to_owned(),
            payload: Map::from_iter([("lead".to_owned(), sample::LEAD.to_string().into())]),
            run_id: sample::RUN,
            workflow_id: sample::WORKFLOW,
        }
    }
}

/// A workflow asks somebody whether it may go on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ApprovalRequested {
    /// Id of the question.
    pub approval_id: Uuid,
    /// The run that waits for the answer.
    pub run_id: Uuid,
    /// Name of the workflow.
    pub workflow: String,
    /// What is asked.
    pub question: String,
    /// Who may answer.
    pub approvers: Vec<String>,
    /// No answer until then is a no.
    pub expires_at: Option<DateTime<Utc>>,
}

contract!(ApprovalRequested = Task "task" "approval" "requested" "v1", "approval" / approval_id);

impl ApprovalRequested {
    fn canned() -> Self {
        Self {
            approval_id: sample::APPROVAL,
            run_id: sample::RUN,
            workflow: "send back a delivery".to_owned(),
            question: "Shall the delivery go back?".to_owned(),
            approvers: vec!["meera".to_owned()],
            expires_at: Some(sample::time()),
        }
    }
}

/// Somebody has answered a workflow, or nobody has in time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ApprovalDecided {
    /// Id of the question.
    pub approval_id: Uuid,
    /// The run that waited for the answer.
    pub run_id: Uuid,
    /// `approved`, `rejected`, `expired` or `withdrawn`.
    pub status: String,
    /// Who answered.
    pub decided_by: Option<String>,
}

contract!(ApprovalDecided = Task "task" "approval" "decided" "v1", "approval" / approval_id);

impl ApprovalDecided {
    fn canned() -> Self {
        Self {
            approval_id: sample::APPROVAL,
            run_id: sample::RUN,
            status: "approved".to_owned(),
            decided_by: Some("meera".to_owned()),
        }
    }
}
