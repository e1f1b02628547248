//! A policy: judges candidates, chooses one, learns from what came of it.

use bhiv_bandit::{Exploration, Learner, Prediction, Vector, draw};

use super::decision::{Candidate, Judged};
use super::facts::Facts;
use super::features::{Feature, features};
use super::prior::Prior;
use super::reasoning::{self, Contribution};
use super::reward::Reward;
use super::terms::{Term, coordinate, terms};

/// All actions share what is learned: those of others with the same features tell of one that was never tried.
const SHARED: &str = "";

/// What a policy sees of an action in a situation, and learns from afterwards.
#[derive(Clone, Debug, PartialEq)]
pub struct Example {
    /// What the learner sees.
    pub vector: Vector,
    /// What the prior predicted.
    pub prior: f64,
}

/// What decides.
#[derive(Clone, Debug)]
pub struct Policy {
    /// What it believed before it learned.
    pub prior: Prior,
    /// What it learned.
    pub learner: Learner,
    /// How it tries what it knows too little of.
    pub explorer: Exploration,
}

/// What a policy decided.
#[derive(Clone, Debug)]
pub struct Choice {
    /// The candidate chosen.
    pub chosen: Judged,
    /// Every candidate, in the order given, the chosen one too.
    pub candidates: Vec<Judged>,
    /// How much is known of the chosen action in such a situation: 1 / (1 + v), v being the variance x^T
    /// A^-1 x of its prediction. It is the share of a surprise that would be left if the outcome were
    /// learned: near 0 when one outcome changes everything, near 1 when it changes nothing any more.
    pub confidence: f64,
    /// Why, in words.
    pub reasoning: String,
    /// What to learn from later.
    pub example: Example,
}

impl Policy {
    /// Chooses among `candidates` in the situation `context`; `chance`, from 0 up to but not including 1,
    /// decides within the probabilities. None if there is no candidate.
    pub fn choose(&self, context: &Facts, candidates: &[Candidate], chance: f64) -> Option<Choice> {
        let situation = features(context, "");
        let weights = self.learner.weights(SHARED);
        let seen: Vec<_> = candidates
            .iter()
            .map(|candidate| {
                let features = candidate.features();
                let example = self.example(&terms(&situation, &features));
                let learned = self.learner.predict(SHARED, &example.vector);
                let mean = (example.prior + learned.mean).clamp(0.0, 1.0);
                (features, example, Prediction { mean, ..learned })
            })
            .collect();
        let predictions: Vec<_> = seen.iter().map(|(_, _, prediction)| *prediction).collect();
        let propensities = self.explorer.probabilities(&predictions, self.learner.examples());
        let place = draw(&propensities, chance)?;

        let judged: Vec<_> = candidates
            .iter()
            .zip(predictions.iter().zip(&propensities))
            .map(|(Candidate { action, features }, (prediction, propensity))| Judged {
                action: action.clone(),
                features: features.clone(),
                score: prediction.mean,
                propensity: *propensity,
            })
            .collect();
        let chosen = judged.get(place)?.clone();
        let (features, example, prediction) = seen.into_iter().nth(place)?;
        let contributions = self.contributions(weights, &situation, &features);
        Some(Choice {
            reasoning: reasoning::explain(&chosen, &judged, contributions),
            confidence: 1.0 / (1.0 + prediction.variance),
            chosen,
            candidates: judged,
            example,
        })
    }

    /// Learns that what `example` shows was worth `reward`.
    pub fn learn(&mut self, example: &Example, reward: Reward) {
        self.learner.learn(SHARED, &example.vector, reward.get() - example.prior);
    }

    fn example(&self, terms: &[Term<'_>]) -> Example {
        let dimension = self.learner.size();
        Example {
            vector: Vector::new(terms.iter().map(|term| (coordinate(term.hash, dimension), term.value))),
            prior: terms.iter().map(|term| self.prior.weight(term) * term.value).sum(),
        }
    }

    /// What each term adds to the prediction.
    fn contributions(&self, weights: &[f64], situation: &[Feature], action: &[Feature]) -> Vec<Contribution> {
        let dimension = self.learner.size();
        terms(situation, action)
            .iter()
            .map(|term| {
                let learned = weights.get(coordinate(term.hash, dimension)).copied().unwrap_or(0.0);
                Contribution::of(term, (learned + self.prior.weight(term)) * term.value)
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use rand::rngs::StdRng;
    use rand::{RngExt as _, SeedableRng as _};

    use super::*;
    use crate::domain::facts::Fact;

    fn policy(prior: &[(&str, f64)]) -> Policy {
        let prior: BTreeMap<_, _> =
            prior.iter().map(|(name, weight)| ((*name).to_owned(), *weight)).collect();
        Policy {
            prior: Prior::from(&prior),
            learner: Learner::new(64, 1.0),
            explorer: Exploration::SquareCb { gamma: 50.0, exponent: 0.0 },
        }
    }

    fn candidates(actions: &[&str]) -> Vec<Candidate> {
        actions.iter().map(|action| Candidate::from((*action).to_owned())).collect()
    }

    fn reward(number: f64) -> Reward {
        number.try_into().unwrap()
    }

    #[test]
    fn a_prior_speaks_until_outcomes_do() {
        let mut policy = policy(&[("bias", 0.5), ("budget&action=contact", 0.4)]);
        let rich = Facts::default().with("budget", Fact::number(10_000.0));
        let contact = candidates(&["contact"]);
        let score =
            |policy: &Policy, context: &Facts| policy.choose(context, &contact, 0.5).unwrap().chosen.score;
        assert!((score(&policy, &Facts::default()) - 0.5).abs() < 1e-12);
        let before = score(&policy, &rich);
        assert!((before - (0.5 + 0.4 * 0.902)).abs() < 0.001, "{before}");

        for _ in 0..30 {
            for (context, earned) in [(&rich, 0.0), (&Facts::default(), 0.5)] {
                let choice = policy.choose(context, &contact, 0.5).unwrap();
                policy.learn(&choice.example, reward(earned));
            }
        }
        assert!(score(&policy, &rich) < 0.1);
        assert!((score(&policy, &Facts::default()) - 0.5).abs() < 0.1);
    }

    #[test]
    fn confidence_grows_with_what_was_seen() {
        let mut policy = policy(&[]);
        let [north, south] = ["north", "south"].map(|zone| Facts::default().with("zone", Fact::from(zone)));
        let actions = candidates(&["approve"]);
        let confidence =
            |policy: &Policy, context: &Facts| policy.choose(context, &actions, 0.5).unwrap().confidence;
        // Three terms with value 1 and lambda 1: v = 3.
        assert!((confidence(&policy, &north) - 0.25).abs() < 1e-12);
        for _ in 0..50 {
            let choice = policy.choose(&north, &actions, 0.5).unwrap();
            policy.learn(&choice.example, reward(1.0));
        }
        assert!(confidence(&policy, &north) > 0.95);
        assert!(confidence(&policy, &south) < confidence(&policy, &north));
    }

    #[test]
    fn without_a_candidate_there_is_no_choice() {
        assert!(policy(&[]).choose(&Facts::default(), &[], 0.5).is_none());
    }

    /// Four kinds of situation, three actions; the right action is rewarded in 8 of 10 cases, a wrong one
    /// in 2 of 10, so that choosing blindly earns 0.4. Answers the mean reward of each quarter of `rounds`.
    fn run(seed: u64, rounds: usize) -> [f64; 4] {
        let mut chance = StdRng::seed_from_u64(seed);
        let mut policy = policy(&[("bias", 0.5)]);
        let actions = candidates(&["approve", "hold", "expedite"]);
        let situations = [("north", "approve"), ("south", "hold"), ("east", "expedite"), ("west", "approve")];
        let mut quarters = [0.0; 4];
        for round in 0..rounds {
            let (zone, right) = situations[chance.random_range(0..situations.len())];
            let context = Facts::default()
                .with("zone", Fact::from(zone))
                .with("total", Fact::number(chance.random_range(1.0..1e5)))
                .with("order_id", Fact::from("0190aaaa-0000-7000-8000-000000000001"));
            let choice = policy.choose(&context, &actions, chance.random()).unwrap();
            let odds = if choice.chosen.action == right { 0.8 } else { 0.2 };
            let earned = if chance.random::<f64>() < odds { 1.0 } else { 0.0 };
            policy.learn(&choice.example, reward(earned));
            quarters[round * 4 / rounds] += earned * 4.0 / f64::from(u32::try_from(rounds).unwrap());
        }
        quarters
    }

    #[test]
    fn it_learns() {
        let runs: Vec<_> = (1..=20).map(|seed| run(seed, 240)).collect();
        let mean = |quarter: usize| runs.iter().map(|run| run[quarter]).sum::<f64>() / 20.0;
        let (first, last) = (mean(0), mean(3));
        assert!(first > 0.5, "from the first quarter on it beats choosing blindly, 0.4: {first}");
        assert!(last > first + 0.1, "it gets better: {first}, then {last}");
        assert!(last > 0.72, "it gets near 0.8, the best there is: {last}");
        assert!(runs.iter().all(|run| run[3] > 0.55), "in every run: {runs:?}");
    }
}
