//! What each refusal of a command is to an HTTP client.

use bhiv_web::{Problem, codes};

use crate::commands::cancel_run::CancelRunError;
use crate::commands::create_feedback::CreateFeedbackError;
use crate::commands::create_review::CreateReviewError;
use crate::commands::create_task::CreateTaskError;
use crate::commands::decide_approval::DecideApprovalError;
use crate::commands::delete_workflow::DeleteWorkflowError;
use crate::commands::patch_feedback::PatchFeedbackError;
use crate::commands::patch_task::PatchTaskError;
use crate::commands::patch_workflow::PatchWorkflowError;
use crate::commands::promise::NoServiceLevel;
use crate::commands::recur::RecurringError;
use crate::commands::retry_run::RetryRunError;
use crate::domain::action::InvalidTemplates;
use crate::domain::condition::InvalidCondition;
use crate::domain::ids::TaskId;
use crate::domain::recurring::InvalidSchedule;
use crate::domain::trigger::UnknownTrigger;
use crate::domain::workflow::InvalidWorkflow;

codes! {
    PAST_DATE = "past_date", 422, "It lies in the past";
    DEPENDENCY_CYCLE = "dependency_cycle", 409, "Tasks would wait for each other";
    OPEN_DEPENDENCIES = "open_dependencies", 409, "The task waits for others";
    OPEN_CHECKLIST = "open_checklist", 409, "The checklist is not done";
    TASK_NOT_COMPLETED = "task_not_completed", 409, "What is completed is reviewed";
    OWN_TASK = "own_task", 409, "Nobody reviews their own task";
    NOT_YOUR_REVIEW = "not_your_review", 403, "Only administrators speak for others";
    DHI_MISMATCH = "dhi_mismatch", 422, "The score is not what its parts make";
    NOT_YOUR_FEEDBACK = "not_your_feedback", 403, "Feedback is changed by the customer who gave it";
    FEEDBACK_EXISTS = "feedback_exists", 409, "The caller has given feedback on this order already";
    INVALID_SCHEDULE = "invalid_schedule", 422, "The schedule cannot be kept";
    NOT_ASKED = "not_asked", 403, "Only whoever is asked answers";
    ALREADY_DECIDED = "already_decided", 409, "What was answered is not answered again";
    RUN_WAITING = "run_waiting", 409, "The run is not over";
    RUN_OVER = "run_over", 409, "What is over is not cancelled";
    NO_FAILED_STEP = "no_failed_step", 409, "None of its steps failed";
    RUN_DONE = "run_done", 409, "What was done is not done again";
    WORKFLOW_GONE = "workflow_gone", 409, "The workflow is not there any more";
    EVENT_FORGOTTEN = "event_forgotten", 409, "The event is not kept any more";
    UNKNOWN_TRIGGER = "unknown_trigger", 422, "No workflow can be triggered by that event";
    INVALID_CONDITION = "invalid_condition", 422, "The condition is not CEL";
    INVALID_TEMPLATE = "invalid_template", 422, "A text of an action is not a template";
}

impl From<CreateTaskError> for Problem {
    fn from(error: CreateTaskError) -> Self {
        let says = error.to_string();
        match error {
            CreateTaskError::NoTask(id) => Self::unknown_reference("/depends_on", format!("task/{id}")),
            CreateTaskError::Past(field, _, now) => past(field, says, now),
        }
    }
}

fn past(field: &str, says: String, now: chrono::DateTime<chrono::Utc>) -> Problem {
    let now = now.to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
    Problem::new(PAST_DATE, says).at(field, format!("must be {now} or later"))
}

fn names(ids: &[TaskId]) -> Vec<String> {
    ids.iter().map(|id| format!("task/{id}")).collect()
}

impl From<PatchTaskError> for Problem {
    fn from(error: PatchTaskError) -> Self {
        let says = error.to_string();
        match error {
            PatchTaskError::NotFound(id) => Self::not_found(format!("task/{id}")),
            PatchTaskError::Status(refusal) => refusal.into(),
            PatchTaskError::NoTask(id) => Self::unknown_reference("/depends_on", format!("task/{id}")),
            PatchTaskError::Past(field, _, now) => past(field, says, now),
            PatchTaskError::Cycle(way) => Self::new(DEPENDENCY_CYCLE, says).with("cycle", names(&way)),
            PatchTaskError::Waits(open) => Self::new(OPEN_DEPENDENCIES, says).with("open", names(&open)),
            PatchTaskError::Unchecked(open) => Self::new(OPEN_CHECKLIST, says).with("open", open),
        }
    }
}

impl From<CreateReviewError> for Problem {
    fn from(error: CreateReviewError) -> Self {
        let says = error.to_string();
        match error {
            CreateReviewError::NoTask(id) => Self::unknown_reference("/task_id", format!("task/{id}")),
            CreateReviewError::NotDone(status) => {
                Self::new(TASK_NOT_COMPLETED, says).with("task_status", status.to_string())
            }
            CreateReviewError::Own => Self::new(OWN_TASK, says),
            CreateReviewError::Mismatch(expected) => Self::new(DHI_MISMATCH, says)
                .at("/dhi_score", "must be compliance .4, efficiency .3, quality .2, timeliness .1")
                .with("expected", expected),
        }
    }
}

impl From<CreateFeedbackError> for Problem {
    fn from(error: CreateFeedbackError) -> Self {
        let detail = error.to_string();
        match error {
            CreateFeedbackError::Exists(id) => {
                Self::new(FEEDBACK_EXISTS, detail).with("feedback_id", id.to_string())
            }
        }
    }
}

impl From<PatchFeedbackError> for Problem {
    fn from(error: PatchFeedbackError) -> Self {
        match error {
            PatchFeedbackError::NotFound(id) => Self::not_found(format!("feedback/{id}")),
            PatchFeedbackError::NotYours(_) => Self::new(NOT_YOUR_FEEDBACK, error.to_string()),
        }
    }
}

impl From<InvalidWorkflow> for Problem {
    fn from(error: InvalidWorkflow) -> Self {
        let detail = error.to_string();
        match error {
            InvalidWorkflow::Trigger(UnknownTrigger { known, .. }) => Self::new(UNKNOWN_TRIGGER, detail)
                .at("/trigger", format!("must be one of {}", known.join(", "))),
            InvalidWorkflow::Condition(InvalidCondition(faults)) => {
                let problem = Self::new(INVALID_CONDITION, detail);
                faults.into_iter().fold(problem, |problem, fault| problem.at("/condition", fault))
            }
            InvalidWorkflow::Templates(InvalidTemplates(faults)) => {
                let problem = Self::new(INVALID_TEMPLATE, detail);
                faults.into_iter().fold(problem, |problem, fault| problem.at(fault.pointer, fault.message))
            }
        }
    }
}

impl From<PatchWorkflowError> for Problem {
    fn from(error: PatchWorkflowError) -> Self {
        match error {
            PatchWorkflowError::NotFound(id) => Self::not_found(format!("workflow/{id}")),
            PatchWorkflowError::Invalid(invalid) => invalid.into(),
        }
    }
}

impl From<DeleteWorkflowError> for Problem {
    fn from(error: DeleteWorkflowError) -> Self {
        match error {
            DeleteWorkflowError::NotFound(id) => Self::not_found(format!("workflow/{id}")),
        }
    }
}

impl From<RetryRunError> for Problem {
    fn from(error: RetryRunError) -> Self {
        let says = error.to_string();
        match error {
            RetryRunError::NotFound(id) => Self::not_found(format!("run/{id}")),
            RetryRunError::Done => Self::new(RUN_DONE, says),
            RetryRunError::Waiting => Self::new(RUN_WAITING, says),
            RetryRunError::NoFailedStep => Self::new(NO_FAILED_STEP, says),
            RetryRunError::NoWorkflow(_) => Self::new(WORKFLOW_GONE, says),
            RetryRunError::Forgotten(_) => Self::new(EVENT_FORGOTTEN, says),
        }
    }
}

impl From<CancelRunError> for Problem {
    fn from(error: CancelRunError) -> Self {
        let says = error.to_string();
        match error {
            CancelRunError::NotFound(id) => Self::not_found(format!("run/{id}")),
            CancelRunError::Over(outcome) => Self::new(RUN_OVER, says).with("outcome", outcome.to_string()),
        }
    }
}

impl From<DecideApprovalError> for Problem {
    fn from(error: DecideApprovalError) -> Self {
        let says = error.to_string();
        match error {
            DecideApprovalError::NotFound(id) => Self::not_found(format!("approval/{id}")),
            DecideApprovalError::NotAsked(approvers) => {
                Self::new(NOT_ASKED, says).with("approvers", approvers)
            }
            DecideApprovalError::Decided(status) => {
                Self::new(ALREADY_DECIDED, says).with("approval_status", status.to_string())
            }
        }
    }
}

impl From<RecurringError> for Problem {
    fn from(error: RecurringError) -> Self {
        let says = error.to_string();
        let pointer = match error {
            RecurringError::NotFound(id) => return Self::not_found(format!("recurring/{id}")),
            RecurringError::Schedule(InvalidSchedule::Timezone(_)) => "/timezone",
            RecurringError::Schedule(InvalidSchedule::Cron(..) | InvalidSchedule::Never(_)) => "/cron",
        };
        Self::new(INVALID_SCHEDULE, &*says).at(pointer, says)
    }
}

impl From<NoServiceLevel> for Problem {
    fn from(NoServiceLevel(priority): NoServiceLevel) -> Self {
        Self::not_found(format!("service_level/{priority}"))
    }
}
