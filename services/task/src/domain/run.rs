//! What a workflow makes of an event.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::action::Actions;
use super::condition;
use super::facts::Facts;
use super::step::{Step, cut};

/// What came of a workflow whose event arrived.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, strum::Display, strum::EnumString,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Outcome {
    /// Its actions were done.
    Done,
    /// Its condition was not met, or could not be told; then the error says why.
    ConditionNotMet,
    /// The text of an action could not be made, so none was done; or a step could not be; the error says why.
    Failed,
    /// It is not over: it waits for something.
    Waiting,
    /// A person did not agree, or did not answer in time.
    Rejected,
    /// Somebody ended it while it waited.
    Cancelled,
}

/// What a run waits for.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, strum::Display, strum::EnumString,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum WaitsFor {
    /// A time.
    Time,
    /// A person, see `/task/approvals`.
    Approval,
    /// Somebody outside who is to be told.
    Receiver,
}

/// How far a step is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum StepStatus {
    /// It has not begun.
    Pending,
    /// It has begun, and waits.
    Waiting,
    /// It is done.
    Done,
    /// It could not be done.
    Failed,
    /// A person did not agree.
    Rejected,
}

/// A step of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct StepRecord {
    /// What kind of action it is.
    pub action: String,
    /// How far it is.
    pub status: StepStatus,
    /// What it did, for example `created task/0190...`.
    pub effect: Option<String>,
    /// What went wrong, in the last attempt if it is tried again.
    pub error: Option<String>,
    /// How often it was tried.
    pub attempts: i32,
    /// When it began.
    pub began_at: Option<DateTime<Utc>>,
    /// When it was over.
    pub ended_at: Option<DateTime<Utc>>,
}

/// The steps of a run, in their order.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Steps(pub Vec<StepRecord>);

impl Steps {
    /// None of these has begun.
    pub fn ahead(steps: &[Step]) -> Self {
        let ahead = |step: &Step| StepRecord {
            action: <&str>::from(step).to_owned(),
            status: StepStatus::Pending,
            effect: None,
            error: None,
            attempts: 0,
            began_at: None,
            ended_at: None,
        };
        Self(steps.iter().map(ahead).collect())
    }

    /// The first that is not done, and its number.
    pub fn current(&mut self) -> Option<(usize, &mut StepRecord)> {
        self.0.iter_mut().enumerate().find(|(_, step)| step.status != StepStatus::Done)
    }
}

/// What a run does, with the texts made: it is the same however long it takes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// Name of the workflow.
    pub workflow: String,
    /// What is done, in this order.
    pub steps: Vec<Step>,
}

/// What a workflow decides to do.
#[derive(Clone, Debug, PartialEq)]
pub enum Decision {
    /// All of this.
    Act(Vec<Step>),
    /// Nothing: its condition is not met, or cannot be told.
    Pass(Option<String>),
    /// Nothing: an action cannot be prepared.
    Fail(String),
}

/// Decides what `actions` do about an event if `condition` is met.
pub fn decide(condition: Option<&str>, actions: &Actions, facts: &Facts) -> Decision {
    match condition.map_or(Ok(true), |condition| condition::is_met(condition, facts)) {
        Ok(true) => match actions.steps(facts) {
            Ok(steps) => Decision::Act(steps),
            Err(error) => Decision::Fail(why(&error)),
        },
        Ok(false) => Decision::Pass(None),
        Err(error) => Decision::Pass(Some(why(&error))),
    }
}

/// An error as it is kept. It may quote data: at any length, and with a character that PostgreSQL's text cannot
/// carry.
fn why(error: &str) -> String {
    cut(&error.replace('\0', ""), 1000)
}

#[cfg(test)]
mod tests {
    use bhiv_types::Priority;
    use serde_json::json;

    use super::*;
    use crate::domain::action::{Action, TaskTemplate};

    fn asked(condition: Option<&str>, title: &str) -> Decision {
        let task = TaskTemplate {
            title: title.to_owned(),
            description: None,
            priority: Priority::Normal,
            due_in_hours: None,
            escalate_in_hours: None,
            reference: None,
            assignee_id: None,
            assign: None,
        };
        let facts = Facts { event: json!({}), data: json!({"name": "\0".repeat(3), "score": 0.5}) };
        decide(condition, &Actions(vec![Action::CreateTask(task)]), &facts)
    }

    #[test]
    fn a_condition_comes_before_the_actions() {
        assert!(matches!(asked(None, "x"), Decision::Act(steps) if steps.len() == 1));
        assert!(matches!(asked(Some("data.score > 0.1"), "x"), Decision::Act(_)));
        assert_eq!(asked(Some("data.score > 0.9"), "{{ data.nothing }}"), Decision::Pass(None));
        assert!(matches!(asked(Some("data.score > 0.1"), "{{ data.nothing }}"), Decision::Fail(_)));
    }

    #[test]
    fn a_condition_that_cannot_be_told_is_not_met() {
        assert_eq!(
            asked(Some("data[data.name] == 1"), "x"),
            Decision::Pass(Some("No such key: ".to_owned()))
        );
        let no_longer_cel = asked(Some("data.score >"), "x");
        assert!(matches!(no_longer_cel, Decision::Pass(Some(why)) if why.starts_with("line 1, ")));
    }
}
