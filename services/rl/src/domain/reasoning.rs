//! Why a candidate was chosen, in words that follow from the numbers.

use super::decision::Judged;
use super::terms::Term;

/// Terms that are named, at most.
const NAMED: usize = 3;

/// Contributions that are too small to name.
const NEGLIGIBLE: f64 = 0.005;

/// What a term adds to a predicted reward.
#[derive(Clone, Debug, PartialEq)]
pub struct Contribution {
    /// The term in words.
    pub what: String,
    /// How much it adds.
    pub amount: f64,
}

impl Contribution {
    /// What `term` adds.
    pub fn of(term: &Term<'_>, amount: f64) -> Self {
        let what = match (term.situation, term.action) {
            (None, None) => "the usual reward".to_owned(),
            (None, Some(action)) => action.name.clone(),
            (Some(situation), None) => situation.name.clone(),
            (Some(situation), Some(action)) => format!("{} with {}", situation.name, action.name),
        };
        Self { what, amount }
    }
}

/// Why `chosen` was chosen among `candidates`.
pub fn explain(chosen: &Judged, candidates: &[Judged], contributions: Vec<Contribution>) -> String {
    format!("{} {}", choice(chosen, candidates), weights(contributions))
}

fn choice(chosen: &Judged, candidates: &[Judged]) -> String {
    let Judged { action, score, propensity, .. } = chosen;
    let best = candidates.iter().max_by(|one, other| one.score.total_cmp(&other.score));
    match best {
        _ if candidates.len() == 1 => {
            format!("'{action}' is the only candidate; its predicted reward is {score:.2}.")
        }
        Some(best) if best.score > *score => format!(
            "'{action}' was chosen to learn more, with probability {propensity:.2}: its predicted reward is \
             {score:.2}, while '{}' with {:.2} has the highest.",
            best.action, best.score
        ),
        _ => format!(
            "'{action}' has the highest predicted reward of {} candidates, {score:.2}, and was chosen with \
             probability {propensity:.2}.",
            candidates.len()
        ),
    }
}

fn weights(mut contributions: Vec<Contribution>) -> String {
    contributions.retain(|contribution| contribution.amount.abs() >= NEGLIGIBLE);
    contributions.sort_by(|one, other| other.amount.abs().total_cmp(&one.amount.abs()));
    contributions.truncate(NAMED);
    if contributions.is_empty() {
        return "Nothing that is known about it speaks for or against it yet.".to_owned();
    }
    let named: Vec<_> =
        contributions.iter().map(|Contribution { what, amount }| format!("{what} ({amount:+.2})")).collect();
    format!("What counted most: {}.", named.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::facts::Facts;

    fn judged(action: &str, score: f64, propensity: f64) -> Judged {
        Judged { action: action.to_owned(), features: Facts::default(), score, propensity }
    }

    fn contribution(what: &str, amount: f64) -> Contribution {
        Contribution { what: what.to_owned(), amount }
    }

    #[test]
    fn the_weightiest_contributions_are_named() {
        let all = [judged("approve", 0.8, 0.9), judged("hold", 0.4, 0.1)];
        let contributions = vec![
            contribution("a", 0.1),
            contribution("b", -0.4),
            contribution("c", 0.004),
            contribution("d", 0.2),
            contribution("e", 0.05),
        ];
        assert_eq!(
            explain(&all[0], &all, contributions),
            "'approve' has the highest predicted reward of 2 candidates, 0.80, and was chosen with probability \
             0.90. What counted most: b (-0.40), d (+0.20), a (+0.10)."
        );
    }

    #[test]
    fn an_exploration_says_so() {
        let all = [judged("approve", 0.8, 0.9), judged("hold", 0.4, 0.1)];
        assert_eq!(
            explain(&all[1], &all, Vec::new()),
            "'hold' was chosen to learn more, with probability 0.10: its predicted reward is 0.40, while \
             'approve' with 0.80 has the highest. Nothing that is known about it speaks for or against it yet."
        );
        let only = [judged("contact", 0.5, 1.0)];
        let told = explain(&only[0], &only, Vec::new());
        assert!(told.starts_with("'contact' is the only candidate; its predicted reward is 0.50."), "{told}");
    }
}
