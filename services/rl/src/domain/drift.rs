//! Whether what a policy meets has changed: what came lately beside what came before.

use std::collections::BTreeMap;

use bhiv_bandit::drift::shift;
use serde::Serialize;
use utoipa::ToSchema;

use super::facts::{Fact, Facts};

/// Features that are compared, at most: those that most decisions have.
const MOST: usize = 200;

/// How probable a change may be by chance, over all comparisons together, to be called one.
const ALPHA: f64 = 0.01;

/// A decision with its outcome.
#[derive(Clone, Debug)]
pub struct Seen {
    /// What was known of the situation.
    pub context: Facts,
    /// What was predicted of the action chosen.
    pub score: f64,
    /// How it turned out.
    pub reward: f64,
}

/// Something about an outcome, as a number.
type Value = fn(&Seen) -> f64;

/// A mean, before and lately.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Drift {
    /// What changed, or did not: `reward`; `surprise`, how much rewards exceed what was predicted; or a fact of the
    /// situation, a number by its name, a text or truth value as `name=value`, counted as 1 where it is there.
    what: String,
    /// Its mean before.
    before: f64,
    /// Its mean lately.
    lately: f64,
    /// How probable such a difference is by chance (Welch 1947), made larger by the number of comparisons (Bonferroni).
    p: f64,
    /// Whether that is less than 0.01.
    drifted: bool,
}

impl Drift {
    /// Whether it is more than chance.
    pub fn is_drift(&self) -> bool {
        self.drifted
    }
}

/// Compares decisions that came lately with those before them: rewards and surprises first, then facts, the least
/// probable first.
pub fn compare(before: &[Seen], lately: &[Seen]) -> Vec<Drift> {
    let (one, other) = (facts(before), facts(lately));
    let mut named: Vec<_> = one.keys().chain(other.keys()).collect();
    named.sort_unstable();
    named.dedup();
    let count = |name: &String| one.get(name).map_or(0, Vec::len) + other.get(name).map_or(0, Vec::len);
    named.sort_by_key(|name| std::cmp::Reverse(count(name)));
    named.truncate(MOST);
    let comparisons = f64::from(u32::try_from(named.len() + 2).unwrap_or(u32::MAX));
    let compared = |what: &str, before: &[f64], lately: &[f64]| {
        let found = shift(before, lately)?;
        let p = (found.p * comparisons).min(1.0);
        Some(Drift {
            what: what.to_owned(),
            before: found.before,
            lately: found.lately,
            p,
            drifted: p < ALPHA,
        })
    };
    let of = |seen: &[Seen], value: Value| seen.iter().map(value).collect::<Vec<_>>();
    let outcomes: [(&str, Value); 2] =
        [("reward", |seen| seen.reward), ("surprise", |seen| seen.reward - seen.score)];
    let mut found: Vec<_> = outcomes
        .iter()
        .filter_map(|(what, value)| compared(what, &of(before, *value), &of(lately, *value)))
        .collect();
    let mut of_facts: Vec<_> = named
        .into_iter()
        .filter_map(|name| {
            let values = |of: &BTreeMap<String, Vec<f64>>, all: usize| {
                let mut values = of.get(name).cloned().unwrap_or_default();
                values.resize(all.max(values.len()), 0.0);
                values
            };
            // A number says something only where it is there; whether it is there is a fact of its own.
            if name.contains('=') {
                return compared(name, &values(&one, before.len()), &values(&other, lately.len()));
            }
            compared(name, &values(&one, 0), &values(&other, 0))
        })
        .collect();
    of_facts.sort_by(|one, other| one.p.total_cmp(&other.p));
    found.extend(of_facts);
    found
}

/// The values of each fact, where it is there.
fn facts(seen: &[Seen]) -> BTreeMap<String, Vec<f64>> {
    let mut values: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    let mut add = |name: String, value| values.entry(name).or_default().push(value);
    for (name, fact) in seen.iter().flat_map(|seen| seen.context.iter()) {
        match fact {
            Fact::Number(number) => add(name.to_owned(), number.as_f64().unwrap_or(0.0)),
            Fact::Flag(flag) => add(format!("{name}={flag}"), 1.0),
            Fact::Text(text) => add(format!("{name}={text}"), 1.0),
            Fact::Texts(texts) => texts.iter().for_each(|text| add(format!("{name}={text}"), 1.0)),
        }
    }
    values
}

#[cfg(test)]
mod tests {
    use rand::rngs::StdRng;
    use rand::{RngExt as _, SeedableRng as _};

    use super::*;

    fn seen(seed: u64, count: usize, odds: f64, budget: f64, web: f64) -> Vec<Seen> {
        let mut chance = StdRng::seed_from_u64(seed);
        (0..count)
            .map(|_| {
                let source = if chance.random::<f64>() < web { "web" } else { "fair" };
                Seen {
                    context: Facts::default()
                        .with("budget", Fact::number(budget + chance.random_range(-1.0..1.0)))
                        .with("source", Fact::from(source)),
                    score: 0.5,
                    reward: f64::from(chance.random::<f64>() < odds),
                }
            })
            .collect()
    }

    fn drifted(found: &[Drift]) -> Vec<&str> {
        let mut names: Vec<_> =
            found.iter().filter(|drift| drift.drifted).map(|drift| drift.what.as_str()).collect();
        names.sort_unstable();
        names
    }

    #[test]
    fn what_changed_is_named_and_nothing_else() {
        let before = seen(1, 1_000, 0.5, 10.0, 0.5);
        assert_eq!(drifted(&compare(&before, &seen(2, 300, 0.5, 10.0, 0.5))), [""; 0]);
        let found = compare(&before, &seen(3, 300, 0.2, 10.0, 0.5));
        assert_eq!(drifted(&found), ["reward", "surprise"]);
        assert_eq!(drifted(&compare(&before, &seen(4, 300, 0.5, 11.0, 0.5))), ["budget"]);
        assert_eq!(drifted(&compare(&before, &seen(5, 300, 0.5, 10.0, 0.9))), ["source=fair", "source=web"]);
        assert_eq!(compare(&before, &[]), []);
    }
}
