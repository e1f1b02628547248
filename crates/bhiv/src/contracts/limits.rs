//! Limits of a value: lengths, sizes, patterns.

use std::collections::BTreeMap;

use serde_json::Value;

use super::schema::{Effect, effect};

/// More is more allowed.
const MOST: [&str; 5] = ["maxLength", "maximum", "exclusiveMaximum", "maxItems", "maxProperties"];
/// More is less allowed.
const LEAST: [&str; 5] = ["minLength", "minimum", "exclusiveMinimum", "minItems", "minProperties"];

/// The keywords that this is about.
pub const WORDS: [&str; 12] = [
    "maxLength",
    "maximum",
    "exclusiveMaximum",
    "maxItems",
    "maxProperties",
    "minLength",
    "minimum",
    "exclusiveMinimum",
    "minItems",
    "minProperties",
    "pattern",
    "uniqueItems",
];

/// What changed: rule, effect, words.
pub fn changes(
    old: &BTreeMap<&str, &Value>,
    new: &BTreeMap<&str, &Value>,
) -> Vec<(&'static str, Effect, String)> {
    let mut found = Vec::new();
    for word in WORDS {
        let (before, after) = (old.get(word).copied(), new.get(word).copied());
        if before == after {
            continue;
        }
        let effect = match (before, after) {
            (Some(_), None) => Some(Effect::Widens),
            (None, Some(_)) => Some(Effect::Narrows),
            (Some(before), Some(after)) => between(word, before, after),
            (None, None) => None,
        };
        let Some(effect) = effect else { continue };
        let rule = if effect == Effect::Narrows { "limit-tightened" } else { "limit-relaxed" };
        let words = |value: Option<&Value>| value.map_or_else(|| "none".to_owned(), Value::to_string);
        found.push((rule, effect, format!("its {word} was {}, and is {}", words(before), words(after))));
    }
    found
}

fn between(word: &str, before: &Value, after: &Value) -> Option<Effect> {
    if MOST.contains(&word) || LEAST.contains(&word) {
        let (before, after) = (before.as_f64()?, after.as_f64()?);
        let grew = after > before;
        let shrank = after < before;
        return if MOST.contains(&word) { effect(grew, shrank) } else { effect(shrank, grew) };
    }
    match (before.as_bool(), after.as_bool()) {
        (Some(before), Some(after)) => effect(before && !after, after && !before),
        // Of two patterns nobody can say here which of them allows more.
        _ => Some(Effect::Alters),
    }
}
