use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use super::run::{Decision, Outcome};
use super::step::Step;
use super::workflow::NewWorkflow;

/// How many events are shown one by one.
const SHOWN: usize = 100;

/// On what a workflow is tried.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Trial {
    /// What is tried; the workflow as it is saved, unless it says otherwise.
    pub draft: Option<NewWorkflow>,
    /// Events that were heard then or later; all that are kept, unless it says otherwise.
    pub from: Option<DateTime<Utc>>,
    /// And before then.
    pub until: Option<DateTime<Utc>>,
    /// So many events at most, the newest; 1000, unless it says otherwise.
    #[schema(minimum = 1, maximum = 5000)]
    pub limit: Option<u16>,
}

/// What a workflow would have done.
#[derive(Clone, Debug, Default, PartialEq, Serialize, ToSchema)]
pub struct Backtest {
    /// How many events it was tried on.
    pub events: usize,
    /// Whether there were more of them in that time.
    pub truncated: bool,
    /// How many it would have done something about.
    pub would_act: usize,
    /// How many do not meet its condition.
    pub condition_not_met: usize,
    /// For how many its condition cannot be told, or the text of an action cannot be made.
    pub would_fail: usize,
    /// What it would have done about each of the newest hundred that it would have done something about, or failed at.
    pub examples: Vec<Example>,
}

/// What a workflow would have done about an event.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Example {
    /// The event.
    pub event_id: Uuid,
    /// When it was heard.
    pub heard_at: DateTime<Utc>,
    /// How the run would have ended.
    pub outcome: Outcome,
    /// What would have been done, in words.
    pub steps: Vec<String>,
    /// Why nothing could have been.
    pub error: Option<String>,
}

impl Backtest {
    /// Adds what was decided about an event.
    pub fn add(&mut self, event_id: Uuid, heard_at: DateTime<Utc>, decision: Decision) {
        self.events += 1;
        let (outcome, steps, error) = match decision {
            Decision::Act(steps) => {
                self.would_act += 1;
                (Outcome::Done, steps.iter().map(says).collect(), None)
            }
            Decision::Pass(None) => {
                self.condition_not_met += 1;
                return;
            }
            Decision::Pass(error) => {
                self.would_fail += 1;
                (Outcome::ConditionNotMet, Vec::new(), error)
            }
            Decision::Fail(error) => {
                self.would_fail += 1;
                (Outcome::Failed, Vec::new(), Some(error))
            }
        };
        if self.examples.len() < SHOWN {
            self.examples.push(Example { event_id, heard_at, outcome, steps, error });
        }
    }
}

fn says(step: &Step) -> String {
    match step {
        Step::CreateTask { task, assign, .. } => {
            let about = task.reference.as_ref().map_or_else(String::new, |it| format!(" about {it}"));
            let one = assign.as_ref().map(|it| format!("one of {}", it.among.join(", ")));
            let to = task.assignee_id.clone().or(one).map_or_else(String::new, |it| format!(" for {it}"));
            format!("create task '{}'{about}{to}, {}", task.title, task.priority)
        }
        Step::EscalateTasks { reference, reason } => {
            let reason = reason.as_ref().map_or_else(String::new, |reason| format!(": {reason}"));
            format!("escalate the open tasks about {reference}{reason}")
        }
        Step::CancelTasks { reference } => format!("cancel the open tasks about {reference}"),
        Step::Notify { url, text } => format!("tell {}: {text}", url.host()),
        Step::Publish { event_type, payload } => format!("publish {event_type} {}", json!(payload)),
        Step::Wait { minutes } => format!("wait {minutes} minutes"),
        Step::Approve { question, approvers, .. } => {
            format!("ask one of {}: {question}", approvers.join(", "))
        }
    }
}
