//! What each refusal of a command is to an HTTP client.

use bhiv_web::{Problem, codes};

use crate::commands::create_feedback::CreateFeedbackError;
use crate::commands::delete_workflow::DeleteWorkflowError;
use crate::commands::patch_feedback::PatchFeedbackError;
use crate::commands::patch_task::PatchTaskError;
use crate::commands::patch_workflow::PatchWorkflowError;
use crate::domain::action::InvalidTemplates;
use crate::domain::condition::InvalidCondition;
use crate::domain::trigger::UnknownTrigger;
use crate::domain::workflow::InvalidWorkflow;

codes! {
    NOT_YOUR_FEEDBACK = "not_your_feedback", 403, "Feedback is changed by the customer who gave it";
    FEEDBACK_EXISTS = "feedback_exists", 409, "The caller has given feedback on this order already";
    UNKNOWN_TRIGGER = "unknown_trigger", 422, "No workflow can be triggered by that event";
    INVALID_CONDITION = "invalid_condition", 422, "The condition is not CEL";
    INVALID_TEMPLATE = "invalid_template", 422, "A text of an action is not a template";
}

impl From<PatchTaskError> for Problem {
    fn from(error: PatchTaskError) -> Self {
        match error {
            PatchTaskError::NotFound(id) => Self::not_found(format!("task/{id}")),
            PatchTaskError::Status(refusal) => refusal.into(),
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
