//! Hard rules: what forbids an action, whatever it is expected to earn.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::decision::Candidate;
use super::facts::{Fact, Facts};

/// What the name of an action's own fact begins with in a condition.
const OF_ACTION: &str = "action.";

/// Forbids actions where all its conditions hold.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Its name, unique within the kind of decision.
    #[schema(min_length = 1, max_length = 100)]
    pub id: String,
    /// What it says, in words.
    #[schema(min_length = 1, max_length = 400)]
    pub says: String,
    /// The actions that it forbids; every one, unless it names some.
    #[serde(default)]
    #[schema(max_items = 100)]
    pub actions: Vec<String>,
    /// When it does: when all of these hold.
    #[schema(min_items = 1, max_items = 20)]
    pub when: Vec<Condition>,
    /// What it does where a fact that it asks for is not known.
    #[serde(default)]
    pub unknown: Unknown,
}

/// What a rule does where it cannot be told whether it holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Unknown {
    /// It forbids: what cannot be ruled out is not done.
    #[default]
    Mask,
    /// It does not.
    Pass,
}

/// Compares a fact with a value, or with another fact.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    /// A fact of the situation by its name, as `total`; of the action with `action.` before it, as `action.load`.
    #[schema(min_length = 1, max_length = 110)]
    pub fact: String,
    /// How it is compared.
    pub is: Comparison,
    /// With what. Not for `present` and `missing`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(schema_with = value)]
    pub value: Option<Fact>,
    /// Or with which other fact, named as `fact` is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 110)]
    pub of: Option<String>,
}

fn value() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
    use utoipa::openapi::schema::{ObjectBuilder, SchemaType, Type};
    let types = SchemaType::from_iter([Type::String, Type::Number, Type::Boolean]);
    ObjectBuilder::new().schema_type(types).max_length(Some(200)).into()
}

/// How two values are compared. Numbers have an order; texts and truth values are equal or not. An array of texts is
/// equal to each text in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Comparison {
    /// It is known.
    Present,
    /// It is not known.
    Missing,
    /// It is the same.
    Equal,
    /// It is not.
    NotEqual,
    /// It is less.
    Below,
    /// It is less or the same.
    AtMost,
    /// It is more.
    Above,
    /// It is more or the same.
    AtLeast,
}

/// Why an action was not to be chosen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Mask {
    /// The action.
    pub action: String,
    /// The rule that forbids it: its id, `compliance` for a verdict, or `consent`.
    pub rule: String,
    /// What that says, in words.
    pub says: String,
}

impl Rule {
    /// What is wrong with it.
    pub fn faults(&self) -> Vec<String> {
        self.when.iter().filter_map(Condition::fault).collect()
    }

    /// Whether it forbids `candidate` in a situation.
    pub fn forbids(&self, context: &Facts, candidate: &Candidate) -> bool {
        if !self.actions.is_empty() && !self.actions.contains(&candidate.action) {
            return false;
        }
        let mut unknown = false;
        for condition in &self.when {
            match condition.holds(context, candidate) {
                Some(false) => return false,
                Some(true) => {}
                None => unknown = true,
            }
        }
        !unknown || self.unknown == Unknown::Mask
    }
}

impl Condition {
    fn fault(&self) -> Option<String> {
        let takes_none = matches!(self.is, Comparison::Present | Comparison::Missing);
        match (takes_none, &self.value, &self.of) {
            (true, None, None) => None,
            (true, ..) => Some(format!("'{}': whether it is known is compared with nothing", self.fact)),
            (false, Some(_), Some(_)) => Some(format!("'{}': has both a value and another fact", self.fact)),
            (false, None, None) => Some(format!("'{}': is compared with nothing", self.fact)),
            (false, value, _) => {
                let in_order = !matches!(self.is, Comparison::Equal | Comparison::NotEqual);
                let is_number = value.as_ref().is_none_or(|value| matches!(value, Fact::Number(_)));
                (in_order && !is_number).then(|| format!("'{}': only numbers have an order", self.fact))
            }
        }
    }

    /// Whether it holds; nothing where that cannot be told.
    fn holds(&self, context: &Facts, candidate: &Candidate) -> Option<bool> {
        let find = |name: &str| match name.strip_prefix(OF_ACTION) {
            Some(name) => candidate.features.get(name),
            None => context.get(name),
        };
        let fact = find(&self.fact);
        match self.is {
            Comparison::Present => return Some(fact.is_some()),
            Comparison::Missing => return Some(fact.is_none()),
            _ => {}
        }
        let other = self.value.as_ref().or_else(|| find(self.of.as_deref()?))?;
        let fact = fact?;
        match self.is {
            Comparison::Equal => Some(same(fact, other)),
            Comparison::NotEqual => Some(!same(fact, other)),
            _ => {
                let (fact, other) = (number(fact)?, number(other)?);
                Some(match self.is {
                    Comparison::Below => fact < other,
                    Comparison::AtMost => fact <= other,
                    Comparison::Above => fact > other,
                    _ => fact >= other,
                })
            }
        }
    }
}

fn number(fact: &Fact) -> Option<f64> {
    match fact {
        Fact::Number(number) => number.as_f64(),
        _ => None,
    }
}

fn same(one: &Fact, other: &Fact) -> bool {
    match (one, other) {
        (Fact::Texts(texts), Fact::Text(text)) | (Fact::Text(text), Fact::Texts(texts)) => {
            texts.contains(text)
        }
        (Fact::Number(_), Fact::Number(_)) => number(one) == number(other),
        _ => one == other,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn rule(value: serde_json::Value) -> Rule {
        serde_json::from_value(value).unwrap()
    }

    fn candidate(action: &str, features: serde_json::Value) -> Candidate {
        serde_json::from_value(json!({"action": action, "features": features})).unwrap()
    }

    #[test]
    fn a_rule_forbids_where_all_its_conditions_hold() {
        let large = rule(json!({"id": "large", "says": "Large orders are looked at", "actions": ["approve"],
            "when": [{"fact": "total", "is": "at_least", "value": 1000}, {"fact": "vip", "is": "missing"}]}));
        let facts = |value| serde_json::from_value::<Facts>(value).unwrap();
        let approve = candidate("approve", json!({}));
        assert!(large.forbids(&facts(json!({"total": 1000})), &approve));
        assert!(!large.forbids(&facts(json!({"total": 999.9})), &approve));
        assert!(!large.forbids(&facts(json!({"total": 1000, "vip": true})), &approve));
        assert!(!large.forbids(&facts(json!({"total": 1000})), &candidate("hold", json!({}))));
        assert!(large.forbids(&facts(json!({})), &approve), "what is not known may be too much");
        assert!(large.forbids(&facts(json!({"total": "many"})), &approve), "and a text is no number");
        let lenient = Rule { unknown: Unknown::Pass, ..large };
        assert!(!lenient.forbids(&facts(json!({})), &approve));
    }

    #[test]
    fn facts_are_compared_with_one_another() {
        let room = rule(json!({"id": "room", "says": "There is room for it",
            "when": [{"fact": "weight", "is": "above", "of": "action.free"}]}));
        let heavy = serde_json::from_value::<Facts>(json!({"weight": 40})).unwrap();
        assert!(room.forbids(&heavy, &candidate("van", json!({"free": 39}))));
        assert!(!room.forbids(&heavy, &candidate("lorry", json!({"free": 40}))));
        let tagged = rule(json!({"id": "cold", "says": "Cold goods need a cold van",
            "when": [{"fact": "tags", "is": "equal", "value": "cold"},
                     {"fact": "action.cold", "is": "not_equal", "value": true}]}));
        let cold = serde_json::from_value::<Facts>(json!({"tags": ["fragile", "cold"]})).unwrap();
        assert!(tagged.forbids(&cold, &candidate("van", json!({"cold": false}))));
        assert!(!tagged.forbids(&cold, &candidate("van", json!({"cold": true}))));
    }

    #[test]
    fn a_condition_says_what_it_compares_with() {
        let faults = |condition: serde_json::Value| {
            rule(json!({"id": "a", "says": "b", "when": [condition]})).faults()
        };
        assert_eq!(faults(json!({"fact": "a", "is": "present"})), [""; 0]);
        assert_eq!(
            faults(json!({"fact": "a", "is": "present", "value": 1})),
            ["'a': whether it is known is compared with nothing"]
        );
        assert_eq!(faults(json!({"fact": "a", "is": "equal"})), ["'a': is compared with nothing"]);
        assert_eq!(
            faults(json!({"fact": "a", "is": "equal", "value": 1, "of": "b"})),
            ["'a': has both a value and another fact"]
        );
        assert_eq!(
            faults(json!({"fact": "a", "is": "below", "value": "b"})),
            ["'a': only numbers have an order"]
        );
    }
}
