//! Why a candidate was chosen, in words that follow from the numbers.

use super::decision::{Judged, Mattered};
use super::settings::Mode;
use super::terms::Term;

/// Terms that are named, at most.
const NAMED: usize = 3;

/// Contributions that are too small to name.
const NEGLIGIBLE: f64 = 0.005;

/// Terms that are listed, at most.
const LISTED: usize = 10;

/// A term in words.
fn words(term: &Term<'_>) -> String {
    match (term.situation, term.action) {
        (None, None) => "the usual reward".to_owned(),
        (None, Some(action)) => action.name.clone(),
        (Some(situation), None) => situation.name.clone(),
        (Some(situation), Some(action)) => format!("{} with {}", situation.name, action.name),
    }
}

/// The terms that counted most, the weightiest first, of all terms with what each adds.
pub fn weightiest(terms: &[(Term<'_>, f64)]) -> Vec<Mattered> {
    let mut counted: Vec<_> = terms
        .iter()
        .filter(|(_, adds)| adds.abs() >= NEGLIGIBLE)
        .map(|(term, adds)| Mattered { feature: words(term), contribution: *adds })
        .collect();
    counted.sort_by(|one, other| other.contribution.abs().total_cmp(&one.contribution.abs()));
    counted.truncate(LISTED);
    counted
}

/// Why `chosen` was chosen among `candidates`; `counted` are the terms that counted most.
pub fn explain(mode: Mode, chosen: &Judged, candidates: &[Judged], counted: &[Mattered]) -> String {
    match mode {
        Mode::Live => format!("{} {}", choice(chosen, candidates), weights(counted)),
        Mode::Apprentice => format!("{} {}", habit(chosen, candidates), weights(counted)),
    }
}

/// What an apprentice's master chose.
fn habit(chosen: &Judged, candidates: &[Judged]) -> String {
    let Judged { action, score, propensity, baseline, .. } = chosen;
    let usual = candidates.iter().find(|candidate| candidate.baseline == Some(1.0));
    match usual {
        _ if candidates.len() == 1 => {
            format!("'{action}' is the only candidate; its predicted reward is {score:.2}.")
        }
        Some(usual) if *baseline != Some(1.0) => format!(
            "'{action}' was chosen to learn more, with probability {propensity:.2}, where '{}' is usual; the policy \
             is an apprentice. Its predicted reward is {score:.2}.",
            usual.action
        ),
        _ => format!(
            "'{action}' is usual among {} candidates, and was chosen with probability {propensity:.2}; the policy is \
             an apprentice. Its predicted reward is {score:.2}.",
            candidates.len()
        ),
    }
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

fn weights(counted: &[Mattered]) -> String {
    if counted.is_empty() {
        return "Nothing that is known about it speaks for or against it yet.".to_owned();
    }
    let named: Vec<_> = counted
        .iter()
        .take(NAMED)
        .map(|Mattered { feature, contribution }| format!("{feature} ({contribution:+.2})"))
        .collect();
    format!("What counted most: {}.", named.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::facts::Facts;
    use crate::domain::features::Feature;

    fn judged(action: &str, score: f64, propensity: f64) -> Judged {
        Judged {
            action: action.to_owned(),
            features: Facts::default(),
            score,
            propensity,
            learner: Some(propensity),
            baseline: Some(if action == "hold" { 1.0 } else { 0.0 }),
        }
    }

    #[test]
    fn the_weightiest_contributions_are_named() {
        let all = [judged("approve", 0.8, 0.9), judged("hold", 0.4, 0.1)];
        let features = ["a", "b", "c", "d", "e"].map(|name| Feature { name: name.to_owned(), value: 1.0 });
        let term = |feature| Term { situation: None, action: Some(feature), hash: 0, value: 1.0 };
        let terms: Vec<_> = features.iter().map(term).zip([0.1, -0.4, 0.004, 0.2, 0.05]).collect();
        let counted = weightiest(&terms);
        assert_eq!(counted.len(), 4);
        assert_eq!(
            explain(Mode::Live, &all[0], &all, &counted),
            "'approve' has the highest predicted reward of 2 candidates, 0.80, and was chosen with probability \
             0.90. What counted most: b (-0.40), d (+0.20), a (+0.10)."
        );
    }

    #[test]
    fn an_exploration_says_so() {
        let all = [judged("approve", 0.8, 0.9), judged("hold", 0.4, 0.1)];
        assert_eq!(
            explain(Mode::Live, &all[1], &all, &[]),
            "'hold' was chosen to learn more, with probability 0.10: its predicted reward is 0.40, while \
             'approve' with 0.80 has the highest. Nothing that is known about it speaks for or against it yet."
        );
        let usual = explain(Mode::Apprentice, &all[1], &all, &[]);
        assert!(usual.starts_with("'hold' is usual among 2 candidates"), "{usual}");
        let tried = explain(Mode::Apprentice, &all[0], &all, &[]);
        assert!(tried.contains("to learn more") && tried.contains("where 'hold' is usual"), "{tried}");
        let only = [judged("contact", 0.5, 1.0)];
        let told = explain(Mode::Live, &only[0], &only, &[]);
        assert!(told.starts_with("'contact' is the only candidate; its predicted reward is 0.50."), "{told}");
    }
}
