//! The smallest change that would have led to the other verdict.
//!
//! Searched are the attributes of the event's data that the determining policies ask for, and what the person said to
//! the purposes that they ask for: first every single change, then every pair, of at most [`MOST`] that can make a
//! difference. Where a policy compares an attribute with constants, by `==`, `!=`, `<`, `<=`, `>`, `>=`, `contains`,
//! `has` or its truth, this is exact: a change is tried for each of the ways in which the comparisons can come out. It
//! is not where attributes are compared with each other, or one with several patterns. Who acted, on what and when is
//! never changed. A policy that could not be evaluated any more is no other verdict.

use bhiv_events::Event;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::steps::{Candidate, apply, candidates};
use super::{Judgement, Policies};
use crate::domain::context::{Known, request};

/// How many changes are tried at most: all of them, and all pairs.
pub const MOST: usize = 40;

/// What would have led to the other verdict: all of it together.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Flip {
    /// One change, or two.
    pub changes: Vec<Change>,
    /// The same, in plain words.
    pub says: String,
}

/// Something about an event that would have been different.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Change {
    /// An attribute of the event's data, for example `total`; for a consent, its purpose.
    pub attribute: String,
    /// How it would have been different.
    pub kind: ChangeKind,
    /// With what; null when it would not have been there.
    #[schema(value_type = Option<serde_json::Value>)]
    pub value: Value,
}

/// How something would have been different.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    /// It would have been this.
    Set,
    /// It would not have been there.
    Remove,
    /// It would have had this, too.
    Add,
    /// It would not have had this.
    TakeOut,
    /// The person would have said this; nothing, when it is null.
    Consent,
}

/// The smallest change that leads from `was` to the other verdict, if one was found.
pub fn smallest(policies: &Policies, event: &Event, known: &Known, was: &Judgement) -> Option<Flip> {
    let candidates = candidates(&policies.determining(was), event, known);
    let flips = |steps: &[&Candidate]| {
        let (mut event, mut known) = (event.clone(), known.clone());
        for candidate in steps {
            apply(&candidate.step, &mut event, &mut known);
        }
        let request = request(&event, &known).ok()?;
        let judgement = policies.judge(&request);
        (judgement.verdict != was.verdict && judgement.errors == was.errors).then(|| flip(steps))
    };
    let single = candidates.iter().find_map(|one| flips(&[one]));
    single.or_else(|| {
        let rest = |index: usize| candidates.iter().skip(index + 1);
        let pairs =
            candidates.iter().enumerate().flat_map(|(index, one)| rest(index).map(move |two| (one, two)));
        pairs
            .filter(|(one, two)| one.change.attribute != two.change.attribute || is_of_set(one, two))
            .find_map(|(one, two)| flips(&[one, two]))
    })
}

/// Two elements of one set can change together.
fn is_of_set(one: &Candidate, two: &Candidate) -> bool {
    let is_element = |kind| matches!(kind, ChangeKind::Add | ChangeKind::TakeOut);
    is_element(one.change.kind) && is_element(two.change.kind)
}

fn flip(steps: &[&Candidate]) -> Flip {
    let changes: Vec<_> = steps.iter().map(|candidate| candidate.change.clone()).collect();
    let says: Vec<_> = changes.iter().map(in_words).collect();
    Flip { says: format!("if {}", says.join(", and ")), changes }
}

fn in_words(Change { attribute, kind, value }: &Change) -> String {
    match kind {
        ChangeKind::Set => format!("{attribute} had been {value}"),
        ChangeKind::Remove => format!("there had been no {attribute}"),
        ChangeKind::Add => format!("{attribute} had contained {value}"),
        ChangeKind::TakeOut => format!("{attribute} had not contained {value}"),
        ChangeKind::Consent => match value.as_str() {
            Some(state) => format!("consent to {attribute} had been {state}"),
            None => format!("nothing had been said to {attribute}"),
        },
    }
}

#[cfg(test)]
mod tests {
    use bhiv_events::Contract as _;
    use bhiv_events::crm::LeadUpdated;
    use uuid::Uuid;

    use serde_json::json;

    use super::super::{PolicyText, Verdict};
    use super::*;
    use crate::domain::consent::ConsentState;

    const PERMIT: &str = "permit (principal, action, resource);";

    fn policies(cedar: &[&str]) -> Policies {
        let text = |(index, cedar): (usize, &&str)| PolicyText {
            id: format!("p{index}"),
            version: 1,
            says: String::new(),
            cedar: (*cedar).to_owned(),
        };
        Policies::read(&cedar.iter().enumerate().map(text).collect::<Vec<_>>())
    }

    fn event(data: Value) -> Event {
        Event { data, ..Event::around(Uuid::from_u128(7), &LeadUpdated::sample()) }
    }

    fn judged(policies: &Policies, event: &Event, known: &Known) -> Judgement {
        policies.judge(&request(event, known).unwrap())
    }

    fn said(cedar: &[&str], data: Value, known: &Known) -> String {
        let (policies, event) = (policies(cedar), event(data));
        let was = judged(&policies, &event, known);
        smallest(&policies, &event, known, &was).map_or_else(|| "nothing".to_owned(), |flip| flip.says)
    }

    #[test]
    fn the_smallest_change_is_told_in_plain_words() {
        let none = Known::default();
        let forbid =
            |condition: &str| format!("forbid (principal, action, resource) when {{ {condition} }};");
        let says = |condition: &str, data: Value| said(&[PERMIT, &forbid(condition)], data, &none);
        assert_eq!(
            says("context.numbers.total.greaterThanOrEqual(decimal(\"100.0\"))", json!({"total": "250.00"})),
            "if total had been \"99.9999\""
        );
        assert_eq!(says("context.data.count > 5", json!({"count": 9})), "if count had been 5");
        assert_eq!(
            says("context.data has gift && context.data.gift", json!({"gift": true})),
            "if gift had been false"
        );
        assert_eq!(says("!(context.data has order)", json!({})), "if order had been \"x\"");
        assert_eq!(says("context.data has order", json!({"order": 1})), "if there had been no order");
        assert_eq!(
            says("!context.data.tags.contains(\"safe\")", json!({"tags": ["new"]})),
            "if tags had contained \"safe\""
        );
        assert_eq!(
            says("context.data.a == 1 || context.data.b == 1", json!({"a": 1, "b": 1})),
            "if a had been 0, and b had been 0"
        );
        // Three would be needed.
        let three = "context.data.a == 1 || context.data.b == 1 || context.data.c == 1";
        assert_eq!(says(three, json!({"a": 1, "b": 1, "c": 1})), "nothing");
        // A policy that cannot be evaluated any more is no other verdict.
        assert_eq!(says("context.data.a == context.data.b", json!({"a": 1, "b": 1})), "nothing");
        // Nothing is asked of what permits everything.
        assert_eq!(said(&[PERMIT], json!({}), &none), "nothing");
        // Nothing permits it yet.
        let permit = "permit (principal, action, resource) when { context.data.status == \"open\" };";
        assert_eq!(said(&[permit], json!({"status": "shut"}), &none), "if status had been \"open\"");
        assert_eq!(said(&[permit], json!({"status": "open"}), &none), "if status had been \"not open\"");
    }

    #[test]
    fn what_the_person_said_can_be_what_matters() {
        let purpose = "contact".parse().unwrap();
        let known =
            Known { person: Some("lead/1".to_owned()), consents: vec![(purpose, ConsentState::Withdrawn)] };
        let withdrawn =
            "forbid (principal, action, resource) when { context.withdrawn.contains(\"contact\") };";
        assert_eq!(said(&[PERMIT, withdrawn], json!({}), &known), "if consent to contact had been granted");
        let wanted =
            "forbid (principal, action, resource) unless { context.consented.contains(\"profiling\") };";
        assert_eq!(said(&[PERMIT, wanted], json!({}), &known), "if consent to profiling had been granted");
        assert_eq!(said(&[PERMIT, wanted], json!({}), &Known::default()), "nothing", "nobody is known");
    }

    /// Every event that a small world has: each attribute absent, or one of some values.
    fn world() -> Vec<Value> {
        let texts = [None, Some(json!("x")), Some(json!("y")), Some(json!("z"))];
        let numbers: Vec<_> = [None].into_iter().chain((-1..=7).map(|number| Some(json!(number)))).collect();
        let sets = [None, Some(json!([])), Some(json!(["p"])), Some(json!(["q"])), Some(json!(["p", "q"]))];
        let mut world = Vec::new();
        for text in &texts {
            for number in &numbers {
                for set in &sets {
                    let fields = [("text", text), ("number", number), ("set", set)];
                    let fields = fields
                        .into_iter()
                        .filter_map(|(name, value)| Some((name.to_owned(), value.clone()?)));
                    world.push(Value::Object(fields.collect()));
                }
            }
        }
        world
    }

    /// How many changes lie between two events: an element of a set each, the set's being there, too.
    fn distance(one: &Value, other: &Value) -> usize {
        let differs = |name: &str| usize::from(one.get(name) != other.get(name));
        let of_set = match (one["set"].as_array(), other["set"].as_array()) {
            (Some(one), Some(other)) => {
                let lacks = |these: &Vec<Value>, those: &Vec<Value>| {
                    these.iter().filter(|element| !those.contains(element)).count()
                };
                lacks(one, other) + lacks(other, one)
            }
            // It comes into being with one element at most.
            (None, Some(other)) => other.len().max(1),
            (one, other) => usize::from(one.is_some() != other.is_some()),
        };
        differs("text") + differs("number") + of_set
    }

    #[test]
    fn nothing_smaller_is_overlooked() {
        let conditions = [
            "context.data has text && context.data.text == \"x\"",
            "context.data has number && context.data.number > 3",
            "context.data has number && context.data.number >= 2 && context.data.number < 5",
            "(context.data has text && context.data.text != \"x\")
             || (context.data has number && context.data.number == 4)",
            "context.data has set && context.data.set.contains(\"p\") && !context.data.set.contains(\"q\")",
            "context.data has set && context.data.set.containsAny([\"p\", \"q\"])",
            "!(context.data has set) || (context.data has text && context.data.text == \"y\")",
            "context.data has text && context.data has number && context.data has set",
        ];
        let world = world();
        let known = Known::default();
        let mut flips = 0;
        for condition in conditions {
            let forbid = format!("forbid (principal, action, resource) when {{ {condition} }};");
            let policies = policies(&[PERMIT, &forbid]);
            let judgements: Vec<_> =
                world.iter().map(|data| judged(&policies, &event(data.clone()), &known)).collect();
            let verdicts = world.iter().zip(&judgements);
            // Only the attributes that the deciding policy asks for can be changed: here the forbidding one.
            for (data, was) in verdicts.clone().filter(|(_, was)| was.verdict == Verdict::Violation) {
                let others = verdicts.clone().filter(|(_, other)| other.verdict != was.verdict);
                let nearest =
                    others.map(|(other, _)| distance(data, other)).min().filter(|nearest| *nearest <= 2);
                let found = smallest(&policies, &event(data.clone()), &known, was);
                let size = found.as_ref().map(|flip| flip.changes.len());
                assert_eq!(size, nearest, "{condition}\n{data}\n{found:?}");
                flips += usize::from(size.is_some());
            }
        }
        assert!(flips > 300, "{flips}");
    }
}
