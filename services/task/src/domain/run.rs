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
    /// The text of an action could not be made, so none was done; the error says why.
    Failed,
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
pub fn decide(condition: Option<&str>, actions: &Actions, facts: &Facts, now: DateTime<Utc>) -> Decision {
    match condition.map_or(Ok(true), |condition| condition::is_met(condition, facts)) {
        Ok(true) => match actions.steps(facts, now) {
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
            reference: None,
            assignee_id: None,
            assign: None,
        };
        let facts = Facts { event: json!({}), data: json!({"name": "\0".repeat(3), "score": 0.5}) };
        decide(condition, &Actions(vec![Action::CreateTask(task)]), &facts, DateTime::UNIX_EPOCH)
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
