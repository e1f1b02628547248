use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::settings::{Form, Settings};

/// A kind of decision that is to be made.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPolicy {
    /// Its name, for example `courier_choice`.
    #[schema(pattern = "^[a-z][a-z0-9_]{0,99}$")]
    pub kind: String,
    /// What it decides, in words.
    #[schema(min_length = 1, max_length = 400)]
    pub says: String,
    /// What it chooses among when nobody names candidates.
    #[serde(default)]
    #[schema(max_items = 100)]
    pub actions: Vec<String>,
    /// What is believed before anything was learned: what a feature by its name adds to the predicted reward, as
    /// `{"bias": 0.5, "has_phone=true&action=call": 0.1}`.
    #[serde(default)]
    #[schema(default)]
    pub prior: BTreeMap<String, f64>,
    /// Whether actions share what is learned.
    #[serde(default)]
    pub model: Form,
    /// Into how many numbers features are hashed; 64, unless it says otherwise.
    #[serde(default = "dimension")]
    #[schema(minimum = 2, maximum = 256)]
    pub dimension: i32,
    /// How many outcomes the belief is worth that a feature makes no difference beyond its prior; 1, unless it says
    /// otherwise.
    #[serde(default = "lambda")]
    #[schema(minimum = 0.001, maximum = 1_000_000)]
    pub lambda: f64,
    /// How it is made and rewarded.
    #[serde(default)]
    pub settings: Settings,
}

fn dimension() -> i32 {
    64
}

fn lambda() -> f64 {
    1.0
}

/// What changes about a kind of decision. The rest stays.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PolicyChange {
    /// What it decides, in words.
    #[schema(min_length = 1, max_length = 400)]
    pub says: Option<String>,
    /// What it chooses among when nobody names candidates.
    #[schema(max_items = 100)]
    pub actions: Option<Vec<String>>,
    /// How it is made and rewarded: all of it.
    pub settings: Option<Settings>,
}

/// Which version decides again.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Rollback {
    /// What the policy knew with this version decides, while it goes on learning; without one the baseline decides.
    #[schema(minimum = 1)]
    pub version: Option<i64>,
}
