//! A draft of a policy is tried on events that were judged.

use bhiv_events::Event;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::context::{Known, request};
use super::policy::{Policies, PolicyErrors, Rules, Verdict};

/// What is tried, and on what.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Trial {
    /// The policy in Cedar as it might be; as it is, if there is none.
    #[schema(min_length = 1, max_length = 20000)]
    pub cedar: Option<String>,
    /// Whether it would be enabled; it would, unless it says otherwise.
    pub enabled: Option<bool>,
    /// Events of this name only, for example `lead_created`.
    pub event_type: Option<String>,
    /// Events that were heard at that time or later.
    pub from: Option<DateTime<Utc>>,
    /// Events that were heard before that time.
    pub until: Option<DateTime<Utc>>,
    /// How many events at most, the newest first: 1000, unless it says otherwise.
    #[schema(minimum = 1, maximum = 10000)]
    pub limit: Option<u16>,
}

/// What a draft would have made of events.
#[derive(Clone, Debug, Default, PartialEq, Serialize, ToSchema)]
pub struct Backtest {
    /// On how many events it was tried.
    pub judged: usize,
    /// Whether there were more.
    pub truncated: bool,
    /// Every event with another verdict, the newest first.
    pub flips: Vec<FlippedEvent>,
    /// Events that the draft could not be evaluated on, the newest first.
    pub errors: Vec<FailedEvent>,
}

/// An event with another verdict.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct FlippedEvent {
    /// The event.
    pub event_id: Uuid,
    /// Its public name.
    pub event_type: String,
    /// What it was about.
    pub entity: String,
    /// When it was heard.
    pub heard_at: DateTime<Utc>,
    /// By the policies as they are.
    pub before: Verdict,
    /// Which of them decide.
    pub rules_before: Rules,
    /// With the draft.
    pub after: Verdict,
    /// Which decide then.
    pub rules_after: Rules,
}

/// An event on which policies could not be evaluated that could before.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct FailedEvent {
    /// The event.
    pub event_id: Uuid,
    /// Its public name.
    pub event_type: String,
    /// Why not.
    pub errors: PolicyErrors,
}

impl Backtest {
    /// Tries `draft` beside `current` on an event.
    pub fn add(
        &mut self,
        (event, known): (&Event, &Known),
        heard_at: DateTime<Utc>,
        current: &Policies,
        draft: &Policies,
    ) {
        self.judged += 1;
        let Ok(request) = request(event, known) else { return };
        let (before, after) = (current.judge(&request), draft.judge(&request));
        let (event_id, event_type) = (event.id, event.name());
        if after.errors != before.errors {
            let event_type = event_type.clone();
            self.errors.push(FailedEvent { event_id, event_type, errors: after.errors });
        }
        if after.verdict != before.verdict {
            self.flips.push(FlippedEvent {
                event_id,
                event_type,
                entity: event.subject.clone(),
                heard_at,
                before: before.verdict,
                rules_before: before.rules,
                after: after.verdict,
                rules_after: after.rules,
            });
        }
    }
}
