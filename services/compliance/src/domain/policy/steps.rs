//! The changes that are tried, when the smallest one is looked for.

use bhiv_events::Event;
use rust_decimal::Decimal;
use serde_json::{Map, Value, json};

use super::flip::{Change, ChangeKind, MOST};
use super::reads::{Compared, Path, Reads};
use crate::domain::consent::ConsentState;
use crate::domain::context::Known;

/// What a change does.
#[derive(Clone, Debug)]
pub enum Step {
    Data(Path, Option<Value>),
    Element(Path, Value),
    Consent(String, Option<ConsentState>),
}

/// A change that is tried.
pub struct Candidate {
    /// What it does.
    pub step: Step,
    /// What is told of it.
    pub change: Change,
}

/// The changes that can make a difference, at most [`MOST`].
pub fn candidates(reads: &Reads, event: &Event, known: &Known) -> Vec<Candidate> {
    let sample = bhiv_events::find(&event.type_).map(|entry| entry.sample_data()).unwrap_or_default();
    let mut all = Vec::new();
    for (path, compared) in &reads.data {
        of_attribute(path, compared, &event.data, &sample, &mut all);
    }
    if known.person.is_some() {
        for purpose in &reads.purposes {
            of_purpose(purpose, known, &mut all);
        }
    }
    all.truncate(MOST);
    all
}

fn of_attribute(path: &Path, compared: &Compared, data: &Value, sample: &Value, all: &mut Vec<Candidate>) {
    let name = path.join(".");
    let now = at(data, path).filter(|value| !value.is_null());
    let mut add = |kind, value: Value, step| {
        all.push(Candidate { step, change: Change { attribute: name.clone(), kind, value } });
    };
    let mut tried: Vec<Value> = now.into_iter().cloned().collect();
    let mut set = |value: Value| {
        if !tried.contains(&value) {
            tried.push(value.clone());
            add(ChangeKind::Set, value.clone(), Step::Data(path.clone(), Some(value)));
        }
    };
    if let Some(Value::Array(items)) = now {
        for element in &compared.elements {
            let kind = if items.contains(element) { ChangeKind::TakeOut } else { ChangeKind::Add };
            add(kind, element.clone(), Step::Element(path.clone(), element.clone()));
        }
    } else if now.is_none() && !compared.elements.is_empty() {
        // A set that is not there may be there with any one of them, or with none.
        set(json!([]));
        compared.elements.iter().for_each(|element| set(json!([element])));
    } else {
        for value in &compared.values {
            around(value).into_iter().for_each(&mut set);
        }
        for number in &compared.numbers {
            let step = Decimal::new(1, 4);
            for number in [*number, number.saturating_sub(step), number.saturating_add(step)] {
                set(as_number(number, now));
            }
        }
        if let Some(Value::Bool(truth)) = now {
            set(json!(!truth));
        }
        let nothing_to_compare = compared.values.is_empty() && compared.numbers.is_empty();
        if now.is_none() && nothing_to_compare {
            set(at(sample, path).filter(|value| !value.is_null()).cloned().unwrap_or_else(|| json!("x")));
        }
    }
    if now.is_some() {
        add(ChangeKind::Remove, Value::Null, Step::Data(path.clone(), None));
    }
}

/// A value, and one on each side of it.
fn around(value: &Value) -> Vec<Value> {
    match value {
        Value::Number(number) => {
            let number = number.as_i64().unwrap_or_default();
            vec![json!(number), json!(number.saturating_sub(1)), json!(number.saturating_add(1))]
        }
        Value::String(text) => vec![json!(text), json!(format!("not {text}"))],
        Value::Bool(truth) => vec![json!(truth), json!(!truth)],
        other => vec![other.clone()],
    }
}

/// A number, written as the attribute writes them: JSON's numbers, or texts, as amounts of money are.
fn as_number(number: Decimal, now: Option<&Value>) -> Value {
    let text = number.normalize().to_string();
    match now {
        Some(Value::Number(_)) => serde_json::from_str(&text).unwrap_or(Value::String(text)),
        _ => Value::String(text),
    }
}

fn of_purpose(purpose: &str, known: &Known, all: &mut Vec<Candidate>) {
    let said = known.consents.iter().find(|(said, _)| said.as_str() == purpose).map(|(_, state)| *state);
    let states =
        [ConsentState::Granted, ConsentState::Refused, ConsentState::Withdrawn, ConsentState::Expired];
    for state in states.map(Some).into_iter().chain([None]).filter(|state| *state != said) {
        let value = state.map_or(Value::Null, |state| json!(state));
        let change = Change { attribute: purpose.to_owned(), kind: ChangeKind::Consent, value };
        all.push(Candidate { step: Step::Consent(purpose.to_owned(), state), change });
    }
}

fn at<'a>(data: &'a Value, path: &Path) -> Option<&'a Value> {
    path.iter().try_fold(data, |value, name| value.get(name))
}

/// Makes a change.
pub fn apply(step: &Step, event: &mut Event, known: &mut Known) {
    match step {
        Step::Data(path, to) => put(&mut event.data, path, to.clone()),
        Step::Element(path, element) => {
            let mut items = at(&event.data, path).and_then(Value::as_array).cloned().unwrap_or_default();
            let before = items.len();
            items.retain(|item| item != element);
            if items.len() == before {
                items.push(element.clone());
            }
            put(&mut event.data, path, Some(Value::Array(items)));
        }
        Step::Consent(purpose, state) => {
            known.consents.retain(|(said, _)| said.as_str() != purpose);
            if let (Ok(purpose), Some(state)) = (purpose.parse(), state) {
                known.consents.push((purpose, *state));
            }
        }
    }
}

fn put(data: &mut Value, path: &[String], to: Option<Value>) {
    let Some((name, rest)) = path.split_first() else {
        *data = to.unwrap_or_default();
        return;
    };
    if !data.is_object() {
        *data = Value::Object(Map::new());
    }
    let Some(fields) = data.as_object_mut() else { return };
    match to {
        None if rest.is_empty() => drop(fields.remove(name)),
        to => put(fields.entry(name).or_insert(Value::Null), rest, to),
    }
}
