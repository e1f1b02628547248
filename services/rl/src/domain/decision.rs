use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::facts::{self, Fact, Facts};
use super::features::{Feature, features};
use super::parts::Parts;
use super::reward::Reward;

/// What a caller wants decided.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewDecision {
    /// The question, in the caller's words.
    #[schema(min_length = 1, max_length = 1000)]
    pub query: String,
    /// What is known of the situation, by name.
    pub context: Facts,
    /// The actions to choose among; those of the kind, unless it says otherwise.
    #[serde(default)]
    #[schema(value_type = Option<Vec<CandidateInput>>, max_items = 100)]
    pub candidates: Candidates,
    /// What kind of decision: `order_approval` if the context has an `order_id`, otherwise `general`,
    /// unless it says otherwise.
    #[schema(min_length = 1, max_length = 100)]
    pub kind: Option<String>,
    /// What it is about, for example `order/0190...`: the order that the context names by `order_id`,
    /// unless it says otherwise.
    #[schema(min_length = 1, max_length = 100)]
    pub reference: Option<String>,
    /// The person whose data it is decided on, for example `lead/0190...`: the lead that it is about, unless it says
    /// otherwise. Who is forgotten, or withdraws consent, is so here by this name.
    #[schema(min_length = 1, max_length = 100)]
    pub subject: Option<String>,
}

impl NewDecision {
    /// What kind of decision it is.
    pub fn kind(&self) -> &str {
        let usual = if self.context.get("order_id").is_some() { "order_approval" } else { "general" };
        self.kind.as_deref().unwrap_or(usual)
    }

    /// What it is about.
    pub fn reference(&self) -> Option<String> {
        self.reference.clone().or_else(|| match self.context.get("order_id") {
            Some(Fact::Text(text)) => Uuid::try_parse(text).ok().map(|order_id| format!("order/{order_id}")),
            _ => None,
        })
    }
}

/// The person whose data a decision about `reference` uses, unless somebody says otherwise.
pub fn person(reference: Option<&str>) -> Option<String> {
    reference.filter(|reference| reference.starts_with("lead/")).map(str::to_owned)
}

/// How a decision turned out: as one number, or by the parts that its kind is rewarded for.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewOutcome {
    /// From 0, the worst, to 1, the best.
    pub reward: Option<Reward>,
    /// Parts of it, for example `{"success": 1}`, each from 0, the worst, to 1, the best; the others may come later.
    #[serde(default)]
    #[schema(value_type = BTreeMap<String, Reward>, default)]
    pub parts: Parts,
    /// What happened, in the caller's words.
    #[schema(max_length = 1000)]
    pub comment: Option<String>,
}

/// An action that can be chosen.
#[derive(Clone, Debug, PartialEq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Candidate {
    /// What would be done.
    #[schema(min_length = 1, max_length = 100)]
    pub action: String,
    /// What is known of it.
    #[serde(default)]
    #[schema(schema_with = facts::few)]
    pub features: Facts,
}

impl Candidate {
    /// What a learner sees of it: which action it is, and what is known of it.
    pub fn features(&self) -> Vec<Feature> {
        let mut all = vec![Feature::present(format!("action={}", self.action))];
        all.extend(features(&self.features, "action."));
        all
    }
}

impl From<String> for Candidate {
    fn from(action: String) -> Self {
        Self { action, features: Facts::default() }
    }
}

/// An action by its name.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(transparent)]
#[schema(min_length = 1, max_length = 100)]
pub struct ActionName(String);

/// An action, alone or with what is known of it.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum CandidateInput {
    /// Alone.
    Action(ActionName),
    /// With what is known of it.
    Candidate(Candidate),
}

/// Actions that can be chosen, no two the same.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(try_from = "Option<Vec<CandidateInput>>")]
pub struct Candidates(Vec<Candidate>);

impl Candidates {
    /// The candidates, in their order.
    pub fn into_inner(self) -> Vec<Candidate> {
        self.0
    }
}

impl TryFrom<Option<Vec<CandidateInput>>> for Candidates {
    type Error = String;

    fn try_from(given: Option<Vec<CandidateInput>>) -> Result<Self, String> {
        let mut candidates: Vec<Candidate> = Vec::new();
        for input in given.into_iter().flatten() {
            let candidate = match input {
                CandidateInput::Action(ActionName(action)) => action.into(),
                CandidateInput::Candidate(candidate) => candidate,
            };
            if candidates.iter().any(|other| other.action == candidate.action) {
                return Err(format!("the action '{}' stands twice", candidate.action));
            }
            candidates.push(candidate);
        }
        Ok(Self(candidates))
    }
}

/// A candidate as it was judged.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Judged {
    /// What would be done.
    pub action: String,
    /// What was known of it.
    pub features: Facts,
    /// Its predicted reward, 0 to 1.
    pub score: f64,
    /// The probability with which it was to be chosen, above 0 up to 1.
    pub propensity: f64,
    /// The probability with which the policy would have chosen it, had it decided; not known of decisions before there
    /// were apprentices.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub learner: Option<f64>,
    /// The probability with which the baseline would have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline: Option<f64>,
}

/// A feature that counted in what was expected of the action chosen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Mattered {
    /// What it is, in words.
    pub feature: String,
    /// What it added to the predicted reward; below 0, what it took away.
    pub contribution: f64,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn new(context: serde_json::Value) -> NewDecision {
        serde_json::from_value(json!({"query": "What now?", "context": context})).unwrap()
    }

    #[test]
    fn an_order_in_the_context_says_what_it_is_about() {
        let order = "0190aaaa-0000-7000-8000-000000000001";
        let decision = new(json!({"order_id": order}));
        assert_eq!(decision.kind(), "order_approval");
        assert_eq!(decision.reference(), Some(format!("order/{order}")));

        let decision = new(json!({"order_id": 7}));
        assert_eq!((decision.kind(), decision.reference()), ("order_approval", None));

        let decision = new(json!({"total": 7}));
        assert_eq!((decision.kind(), decision.reference()), ("general", None));

        let decision = NewDecision {
            kind: Some("general".to_owned()),
            reference: Some("batch/9".to_owned()),
            ..new(json!({"order_id": order}))
        };
        assert_eq!((decision.kind(), decision.reference().as_deref()), ("general", Some("batch/9")));
    }

    #[test]
    fn no_action_stands_twice() {
        let read = |value| serde_json::from_value::<Candidates>(value);
        let candidates = read(json!(["a", {"action": "b", "features": {"cost": 1}}])).unwrap();
        let actions: Vec<_> = candidates.into_inner().into_iter().map(|candidate| candidate.action).collect();
        assert_eq!(actions, ["a", "b"]);
        let refused = read(json!(["a", {"action": "a", "features": {"cost": 1}}])).unwrap_err();
        assert_eq!(refused.to_string(), "the action 'a' stands twice");
    }
}
