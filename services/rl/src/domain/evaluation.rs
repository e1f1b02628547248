//! What other policies would have earned, from the decisions of this one.

use bhiv_bandit::evaluation::{self, Logged};
use serde::Serialize;
use utoipa::ToSchema;

use super::decision::Judged;

/// A decision with its outcome.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Every candidate as it was judged, before anybody knew how it would turn out.
    pub candidates: Vec<Judged>,
    /// The one chosen.
    pub action: String,
    /// How it turned out.
    pub reward: f64,
}

/// An estimate, and where the value is with a probability of 95 %.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, ToSchema)]
pub struct Estimate {
    /// The mean reward per decision; null where nothing tells.
    value: Option<f64>,
    /// The lower end of its 95 % interval; null where it has none.
    lower: Option<f64>,
    /// The upper end.
    upper: Option<f64>,
}

/// What a policy would have earned per decision, from 0 to 1: three estimates, which agree where there is enough to go
/// by.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = PolicyEvaluation)]
pub struct Target {
    /// Which policy: `learner`, as it was at each decision; `baseline`; or `always:<action>`.
    policy: String,
    /// The decisions that it could have made: those in which it is known what it would have done.
    decisions: usize,
    /// How many decisions of its own would say as much (Kish 1965).
    effective: f64,
    /// Inverse propensity score (Horvitz and Thompson 1952): unbiased, and as wild as the largest weight.
    ips: Estimate,
    /// The same, normalised by the sum of the weights (Swaminathan and Joachims 2015).
    snips: Estimate,
    /// Doubly robust (Dudík, Langford and Li 2011): the predictions, and the weights for what they missed.
    dr: Estimate,
}

/// A policy that is judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Judge {
    /// The policy itself, as it was at each decision.
    Learner,
    /// What it is compared with.
    Baseline,
    /// One action, whatever the situation.
    Always(String),
}

impl Judge {
    fn name(&self) -> String {
        match self {
            Self::Learner => "learner".to_owned(),
            Self::Baseline => "baseline".to_owned(),
            Self::Always(action) => format!("always:{action}"),
        }
    }

    /// The probability with which it would have chosen a candidate; nothing if that is not known.
    fn chance(&self, judged: &Judged) -> Option<f64> {
        match self {
            Self::Learner => judged.learner,
            Self::Baseline => judged.baseline,
            Self::Always(action) => Some(if judged.action == *action { 1.0 } else { 0.0 }),
        }
    }
}

/// Judges a policy; nothing if no decision tells of it.
pub fn evaluate(judge: &Judge, outcomes: &[Outcome]) -> Option<Target> {
    let logged: Vec<_> = outcomes.iter().filter_map(|outcome| log(judge, outcome)).collect();
    let found = evaluation::evaluate(&logged)?;
    let estimate = |of: evaluation::Estimate| {
        let known = |number: f64| number.is_finite().then_some(number);
        let value = of.error.is_finite().then_some(of.value);
        Estimate { value, lower: known(of.lower), upper: known(of.upper) }
    };
    Some(Target {
        policy: judge.name(),
        decisions: found.decisions,
        effective: found.effective,
        ips: estimate(found.ips),
        snips: estimate(found.snips),
        dr: estimate(found.dr),
    })
}

fn log(judge: &Judge, outcome: &Outcome) -> Option<Logged> {
    let chances: Vec<f64> =
        outcome.candidates.iter().map(|judged| judge.chance(judged)).collect::<Option<_>>()?;
    // An action that was no candidate could not have been chosen.
    if chances.iter().sum::<f64>() < 0.5 {
        return None;
    }
    let (chosen, target) =
        outcome.candidates.iter().zip(&chances).find(|(judged, _)| judged.action == outcome.action)?;
    let expected_of_target =
        outcome.candidates.iter().zip(&chances).map(|(judged, chance)| judged.score * chance).sum();
    Some(Logged {
        propensity: chosen.propensity,
        reward: outcome.reward,
        target: *target,
        expected: chosen.score,
        expected_of_target,
    })
}

#[cfg(test)]
mod tests {
    use rand::rngs::StdRng;
    use rand::{RngExt as _, SeedableRng as _};

    use super::*;
    use crate::domain::facts::Facts;

    fn outcomes(count: usize) -> Vec<Outcome> {
        let mut chance = StdRng::seed_from_u64(3);
        let judged = |action: &str, propensity, learner, baseline| Judged {
            action: action.to_owned(),
            features: Facts::default(),
            score: 0.5,
            propensity,
            learner: Some(learner),
            baseline: Some(baseline),
        };
        (0..count)
            .map(|_| {
                let is_first = chance.random::<f64>() < 0.7;
                let odds = if is_first { 0.2 } else { 0.8 };
                Outcome {
                    candidates: vec![judged("a", 0.7, 0.1, 1.0), judged("b", 0.3, 0.9, 0.0)],
                    action: if is_first { "a" } else { "b" }.to_owned(),
                    reward: f64::from(chance.random::<f64>() < odds),
                }
            })
            .collect()
    }

    #[test]
    fn each_policy_is_worth_what_it_would_have_earned() {
        let outcomes = outcomes(4_000);
        for (judge, worth) in [
            (Judge::Learner, 0.1 * 0.2 + 0.9 * 0.8),
            (Judge::Baseline, 0.2),
            (Judge::Always("b".to_owned()), 0.8),
        ] {
            let found = evaluate(&judge, &outcomes).unwrap();
            assert_eq!(found.decisions, 4_000);
            for estimate in [found.ips, found.snips, found.dr] {
                let (lower, upper) = (estimate.lower.unwrap(), estimate.upper.unwrap());
                let slack = upper - lower;
                assert!(lower - slack < worth && worth < upper + slack && slack < 0.2, "{judge:?} {found:?}");
            }
        }
        assert_eq!(evaluate(&Judge::Always("c".to_owned()), &outcomes), None);
        assert_eq!(evaluate(&Judge::Learner, &[]), None);
    }
}
