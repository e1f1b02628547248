use bhiv_types::{Patch, Priority, State};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::ids::TaskId;

/// How many characters a title has at most.
pub const MAX_TITLE: usize = 200;

/// How many characters a description has at most.
pub const MAX_DESCRIPTION: usize = 4000;

/// How many characters a reference or the id of an assignee has at most.
pub const MAX_NAME: usize = 100;

/// Where a task stands.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, strum::Display, strum::EnumString,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum TaskStatus {
    /// Nobody has begun.
    Pending,
    /// Somebody has.
    InProgress,
    /// It cannot go on at the moment.
    Blocked,
    /// It is done.
    Completed,
    /// It needs more attention than it has.
    Escalated,
    /// It will not be done.
    Cancelled,
}

impl State for TaskStatus {
    const TRANSITIONS: &'static [(Self, &'static [Self])] = &[
        (
            Self::Pending,
            &[Self::InProgress, Self::Blocked, Self::Completed, Self::Escalated, Self::Cancelled],
        ),
        (Self::InProgress, &[Self::Blocked, Self::Completed, Self::Escalated, Self::Cancelled]),
        (Self::Blocked, &[Self::InProgress, Self::Escalated, Self::Cancelled]),
        // Whoever reviews it may ask for changes.
        (Self::Completed, &[Self::InProgress]),
        (Self::Escalated, &[Self::InProgress, Self::Completed, Self::Cancelled]),
        (Self::Cancelled, &[]),
    ];
}

impl TaskStatus {
    /// Whether nothing is left to be done.
    pub fn is_over(self) -> bool {
        matches!(self, Self::Completed | Self::Cancelled)
    }

    /// Those from which a task can become `to`.
    pub fn before(to: Self) -> impl Iterator<Item = Self> {
        Self::TRANSITIONS.iter().filter(move |(_, next)| next.contains(&to)).map(|(from, _)| *from)
    }
}

/// What is known when a task is created.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewTask {
    /// What is to be done.
    #[schema(min_length = 1, max_length = 200)]
    pub title: String,
    /// More about it.
    #[schema(min_length = 1, max_length = 4000)]
    pub description: Option<String>,
    /// Who does it.
    #[schema(min_length = 1, max_length = 100)]
    pub assignee_id: Option<String>,
    /// `normal`, unless it says otherwise.
    #[serde(default)]
    pub priority: Priority,
    /// When it should be done.
    pub due_date: Option<DateTime<Utc>>,
    /// When it is escalated if it is not done by then.
    pub escalate_at: Option<DateTime<Utc>>,
    /// What it is about, for example `lead/0190...`.
    #[schema(min_length = 1, max_length = 100)]
    pub reference: Option<String>,
    /// Words by which it can be found.
    #[serde(default)]
    #[schema(max_items = 20)]
    pub labels: Vec<String>,
    /// What has to be done for it, item by item.
    #[serde(default)]
    #[schema(max_items = 100)]
    pub checklist: Vec<CheckItem>,
    /// Tasks that have to be completed before it.
    #[serde(default)]
    #[schema(max_items = 50)]
    pub depends_on: Vec<TaskId>,
}

/// An item of a checklist.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CheckItem {
    /// What has to be done.
    #[schema(min_length = 1, max_length = 200)]
    pub text: String,
    /// Whether it is.
    #[serde(default)]
    pub done: bool,
}

/// The items of a task, in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Checklist(pub Vec<CheckItem>);

impl Checklist {
    /// What is still to be done.
    pub fn open(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter(|item| !item.done).map(|item| item.text.as_str())
    }
}

/// What may be changed about a task. Absent fields stay, `null` clears.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TaskChange {
    /// What is to be done.
    #[schema(min_length = 1, max_length = 200)]
    pub title: Option<String>,
    /// More about it.
    #[serde(default)]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 4000)]
    pub description: Patch<String>,
    /// Who does it.
    #[serde(default)]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 100)]
    pub assignee_id: Patch<String>,
    /// How urgent it is.
    pub priority: Option<Priority>,
    /// When it should be done.
    #[serde(default)]
    #[schema(value_type = Option<DateTime<Utc>>)]
    pub due_date: Patch<DateTime<Utc>>,
    /// When it is escalated if it is not done by then.
    #[serde(default)]
    #[schema(value_type = Option<DateTime<Utc>>)]
    pub escalate_at: Patch<DateTime<Utc>>,
    /// What it is about.
    #[serde(default)]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 100)]
    pub reference: Patch<String>,
    /// Words by which it can be found: all of them.
    #[schema(max_items = 20)]
    pub labels: Option<Vec<String>>,
    /// What has to be done for it: all items.
    #[schema(max_items = 100)]
    pub checklist: Option<Vec<CheckItem>>,
    /// Tasks that have to be completed before it: all of them.
    #[schema(max_items = 50)]
    pub depends_on: Option<Vec<TaskId>>,
    /// Where it stands.
    pub status: Option<TaskStatus>,
}

/// Where a task is moved.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StateChange {
    /// Which task.
    pub task_id: TaskId,
    /// The next state.
    pub state: TaskStatus,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_done_or_given_up_is_over() {
        assert!(TaskStatus::Cancelled.is_final() && TaskStatus::Completed.is_over());
        assert_eq!(
            TaskStatus::Completed.next(),
            [TaskStatus::InProgress],
            "unless a review asks for changes"
        );
        assert!(TaskStatus::Blocked.become_(TaskStatus::Completed).is_err(), "first it has to go on");
        assert_eq!(TaskStatus::Escalated.become_(TaskStatus::InProgress), Ok(TaskStatus::InProgress));
    }

    #[test]
    fn what_can_be_escalated_follows_from_the_table() {
        let open: Vec<_> = TaskStatus::before(TaskStatus::Escalated).collect();
        assert_eq!(open, [TaskStatus::Pending, TaskStatus::InProgress, TaskStatus::Blocked]);
    }
}
