//! Tasks that come again and again, by the clock on somebody's wall.

use std::str::FromStr as _;

use bhiv_types::Priority;
use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use croner::Cron;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::task::{CheckItem, NewTask};

/// The task that comes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Blueprint {
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
    /// How many hours there are to do it.
    #[schema(minimum = 0, maximum = 8760)]
    pub due_in_hours: Option<u16>,
    /// After how many hours it is escalated if it is not done.
    #[schema(minimum = 1, maximum = 8760)]
    pub escalate_in_hours: Option<u16>,
    /// What it is about, for example `account/0190...`.
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
}

impl Blueprint {
    /// The task that comes at `now`.
    pub fn task(&self, now: DateTime<Utc>) -> NewTask {
        let after = |hours: Option<u16>| hours.map(|hours| now + TimeDelta::hours(hours.into()));
        let it = self.clone();
        NewTask {
            title: it.title,
            description: it.description,
            assignee_id: it.assignee_id,
            priority: it.priority,
            due_date: after(it.due_in_hours),
            escalate_at: after(it.escalate_in_hours),
            reference: it.reference,
            labels: it.labels,
            checklist: it.checklist,
            depends_on: Vec::new(),
        }
    }
}

/// A task that comes again and again.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewRecurring {
    /// When: minute, hour, day of the month, month, day of the week, for example `0 9 * * MON-FRI`.
    #[schema(min_length = 1, max_length = 200)]
    pub cron: String,
    /// Whose clock, for example `Asia/Kolkata`; `UTC`, unless it says otherwise.
    #[serde(default = "utc")]
    #[schema(min_length = 1, max_length = 100)]
    pub timezone: String,
    /// What comes.
    pub task: Blueprint,
    /// Whether it comes at all; `true`, unless it says otherwise.
    #[serde(default = "yes")]
    pub enabled: bool,
}

fn utc() -> String {
    "UTC".to_owned()
}

fn yes() -> bool {
    true
}

/// What may be changed about it. Absent fields stay.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RecurringChange {
    /// When.
    #[schema(min_length = 1, max_length = 200)]
    pub cron: Option<String>,
    /// Whose clock.
    #[schema(min_length = 1, max_length = 100)]
    pub timezone: Option<String>,
    /// What comes: all of it.
    pub task: Option<Blueprint>,
    /// Whether it comes at all.
    pub enabled: Option<bool>,
}

/// Why a schedule is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSchedule {
    #[error("'{0}' cannot be read: {1}")]
    Cron(String, String),
    #[error("there is no time zone '{0}'")]
    Timezone(String),
    #[error("'{0}' never comes")]
    Never(String),
}

/// When it comes next after `now`. A time that a clock skips comes when the clock goes on, one that it shows twice comes
/// once.
///
/// # Errors
/// When the schedule is none, or never comes.
pub fn next(cron: &str, timezone: &str, now: DateTime<Utc>) -> Result<DateTime<Utc>, InvalidSchedule> {
    let zone = Tz::from_str(timezone).map_err(|_| InvalidSchedule::Timezone(timezone.to_owned()))?;
    let unreadable = |why: String| InvalidSchedule::Cron(cron.to_owned(), why);
    // With seconds it would be another language, and a task each second.
    if cron.split_whitespace().count() != 5 {
        return Err(unreadable("it has not five fields".to_owned()));
    }
    let schedule = Cron::from_str(cron).map_err(|error| unreadable(error.to_string()))?;
    let next = schedule.find_next_occurrence(&now.with_timezone(&zone), false);
    next.map(|next| next.to_utc()).map_err(|_| InvalidSchedule::Never(cron.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn it_comes_by_the_clock_on_the_wall() {
        // 09:00 in Kolkata is 03:30 in UTC; the 2nd of January 2027 is a Saturday.
        let next_at = |now| next("0 9 * * MON-FRI", "Asia/Kolkata", at(now)).unwrap();
        assert_eq!(next_at("2027-01-01T00:00:00Z"), at("2027-01-01T03:30:00Z"));
        assert_eq!(next_at("2027-01-01T03:30:00Z"), at("2027-01-04T03:30:00Z"), "after now");
        // Summer time begins on the 28th of March 2027 in Berlin: 09:00 is an hour earlier in UTC.
        let next_at = |now| next("0 9 * * *", "Europe/Berlin", at(now)).unwrap();
        assert_eq!(next_at("2027-03-27T00:00:00Z"), at("2027-03-27T08:00:00Z"));
        assert_eq!(next_at("2027-03-27T23:00:00Z"), at("2027-03-28T07:00:00Z"));
    }

    #[test]
    fn what_is_no_schedule_says_why() {
        let now = at("2027-01-01T00:00:00Z");
        for cron in ["", "soon", "* * * *", "61 * * * *", "* * * * * *", "@daily"] {
            assert!(matches!(next(cron, "UTC", now), Err(InvalidSchedule::Cron(..))), "{cron}");
        }
        assert_eq!(
            next("* * * * *", "Mars/Base", now),
            Err(InvalidSchedule::Timezone("Mars/Base".to_owned()))
        );
        assert!(next("0 0 30 2 *", "UTC", now).is_err(), "never");
    }
}
