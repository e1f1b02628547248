use std::collections::{BTreeMap, BTreeSet};

use bhiv_bandit::Exploration;
use bhiv_types::Purpose;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::explorer::Explorer;
use super::reward::Reward;
use super::rule::Rule;

/// Whether all actions share what is learned, or each has its own model. With a shared one, what is learned of one
/// action holds for others with the same features: for actions that come and go. With one each, over features brought
/// to one scale, the same few actions are learned better.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    Serialize,
    Deserialize,
    ToSchema,
    strum::Display,
    strum::EnumString,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Form {
    /// One for all.
    #[default]
    Shared,
    /// One each.
    PerAction,
}

/// Who decides.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, strum::Display, strum::EnumString,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Mode {
    /// The baseline, while the policy learns beside it.
    Apprentice,
    /// The policy.
    Live,
}

/// What a policy is compared with, and what decides while it is an apprentice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Baseline {
    /// The action of which most is expected before anything was learned.
    #[default]
    Prior,
    /// The first candidate that nothing forbids: what the caller would do.
    First,
}

/// Actions that need a person's consent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NeedsConsent {
    /// To this purpose.
    pub purpose: Purpose,
    /// These; every one, if it names none.
    #[serde(default)]
    #[schema(max_items = 100)]
    pub actions: Vec<String>,
}

/// How one kind of decision is made and rewarded. What it does not say is as in [`Settings::default`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// How it explores; `square_cb` with `gamma` 50, unless it says otherwise.
    #[schema(default)]
    pub explorer: Explorer,
    /// The probability that is spread over all candidates alike, whatever is expected of them. At least 0.01 with an
    /// explorer that leaves actions out: without it nobody could tell what they would have earned.
    #[schema(minimum = 0, maximum = 0.5, default = 0)]
    pub floor: f64,
    /// The same while it is an apprentice; 0.1, unless it says otherwise.
    #[schema(minimum = 0.01, maximum = 1, default = 0.1)]
    pub apprentice_floor: f64,
    /// What it is compared with.
    #[schema(default)]
    pub baseline: Baseline,
    /// The parts of a reward and their weights, for example `{"success": 0.6, "time": 0.4}`: the reward is their
    /// weighted mean. Without any it is told as one number.
    #[schema(value_type = BTreeMap<String, f64>, default)]
    pub parts: BTreeMap<String, f64>,
    /// How long after a decision its outcome is waited for, in seconds; 30 days, unless it says otherwise.
    #[schema(minimum = 1, maximum = 315_360_000, default = 2_592_000)]
    pub window_seconds: i64,
    /// What counts as its reward when nothing was heard by then; without one it is given up, and not learned from.
    pub default_reward: Option<Reward>,
    /// What forbids actions.
    #[schema(max_items = 50, default)]
    pub rules: Vec<Rule>,
    /// The actions that are forbidden as long as compliance found a violation in what the decision is about.
    #[schema(max_items = 100, default)]
    pub violation_masks: Vec<String>,
    /// The actions that are forbidden once the person has withdrawn consent.
    pub consent: Option<NeedsConsent>,
    /// The purpose that it learns from people's data for: who withdraws consent to it is forgotten.
    pub learning_purpose: Option<Purpose>,
    /// Whether the policy is promoted by itself once it is sure that it earns more than the baseline, and rolled back
    /// once it is sure that it earns less.
    #[schema(default = false)]
    pub automatic: bool,
    /// How often a bound of the uplift may be wrong; 0.05, unless it says otherwise.
    #[schema(minimum = 0.000_001, maximum = 0.5, default = 0.05)]
    pub alpha: f64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            explorer: Explorer::default(),
            floor: 0.0,
            apprentice_floor: 0.1,
            baseline: Baseline::default(),
            parts: BTreeMap::new(),
            window_seconds: 30 * 24 * 3600,
            default_reward: None,
            rules: Vec::new(),
            violation_masks: Vec::new(),
            consent: None,
            learning_purpose: None,
            automatic: false,
            alpha: 0.05,
        }
    }
}

/// Something wrong with settings: where, and what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Where, as a JSON pointer below the settings.
    pub pointer: String,
    /// What.
    pub message: String,
}

impl Settings {
    /// How it explores. Settings without faults can be explored with.
    pub fn exploration(&self) -> Exploration {
        self.explorer.exploration().unwrap_or(Exploration::Greedy)
    }

    /// Everything in which its fields contradict one another.
    pub fn faults(&self) -> Vec<Fault> {
        let mut faults = Vec::new();
        let mut fault = |pointer: &str, message: String| {
            faults.push(Fault { pointer: pointer.to_owned(), message });
        };
        for message in self.explorer.exploration().err().into_iter().flatten() {
            fault("/explorer", message);
        }
        if self.explorer.leaves_out() && self.floor < 0.01 {
            fault("/floor", format!("must be at least 0.01 with '{}'", self.explorer.r#type));
        }
        if self.parts.len() > 20 {
            fault("/parts", "a reward has 20 parts at most".to_owned());
        }
        for (name, weight) in &self.parts {
            if name.is_empty() || name.chars().count() > 100 {
                fault("/parts", "the name of a part has 1 to 100 characters".to_owned());
            }
            if !(*weight > 0.0 && *weight <= 1e6) {
                fault("/parts", format!("the weight of '{name}' must be above 0, and 1,000,000 at most"));
            }
        }
        let mut ids = BTreeSet::new();
        for (place, rule) in self.rules.iter().enumerate() {
            if !ids.insert(&rule.id) {
                fault(&format!("/rules/{place}/id"), format!("the rule '{}' stands twice", rule.id));
            }
            for message in rule.faults() {
                fault(&format!("/rules/{place}/when"), message);
            }
        }
        faults
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn settings_that_contradict_themselves_say_all_of_it() {
        let settings: Settings = serde_json::from_value(json!({
            "explorer": {"type": "greedy", "width": 1},
            "parts": {"time": 0, "": 1},
            "rules": [
                {"id": "a", "says": "A", "when": [{"fact": "x", "is": "equal"}]},
                {"id": "a", "says": "A", "when": [{"fact": "x", "is": "present"}]},
            ],
        }))
        .unwrap();
        let faults = settings.faults();
        let places: Vec<_> = faults.iter().map(|fault| fault.pointer.as_str()).collect();
        assert_eq!(places, ["/explorer", "/floor", "/parts", "/parts", "/rules/0/when", "/rules/1/id"]);
        assert_eq!(Settings::default().faults(), []);
    }

    /// Those of the version before, and those that come with the service.
    #[test]
    fn what_stands_in_the_database_is_read() {
        let settings: Settings = serde_json::from_value(
            json!({"explorer": {"type": "square_cb", "gamma": 100.0, "exponent": 0}, "default_reward": 0}),
        )
        .unwrap();
        assert_eq!(settings.exploration(), Exploration::SquareCb { gamma: 100.0, exponent: 0.0 });
        assert_eq!(settings.window_seconds, 2_592_000);
        let again = serde_json::to_value(&settings).unwrap();
        assert_eq!(serde_json::from_value::<Settings>(again).unwrap(), settings);
    }
}
