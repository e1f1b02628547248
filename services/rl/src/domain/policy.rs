//! A policy: judges candidates, chooses one, and says why.

use bhiv_bandit::exploration::with_floor;
use bhiv_bandit::{Exploration, Prediction, draw};

use super::decision::{Candidate, Judged, Mattered};
use super::facts::Facts;
use super::features::features;
use super::model::{Example, Model};
use super::prior::Prior;
use super::reasoning;
use super::settings::{Baseline, Mode, Settings};

/// What decides one kind of decision, as a replica has it in memory.
#[derive(Clone, Debug)]
pub struct Policy {
    /// The version of it that decides: the newest, or the one that it was rolled back to.
    pub version: i64,
    /// Who decides.
    pub mode: Mode,
    /// How it explores, and what forbids actions.
    pub settings: Settings,
    /// What it chooses among when nobody names candidates.
    pub default_actions: Vec<String>,
    /// What it believed before it learned.
    pub prior: Prior,
    /// What it learned.
    pub model: Model,
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
    /// What counted most in what is expected of it.
    pub mattered: Vec<Mattered>,
    /// What to learn from later.
    pub example: Example,
}

impl Policy {
    /// Chooses among `candidates` in the situation `context`; `chance`, from 0 up to but not including 1,
    /// decides within the probabilities. None if there is no candidate. What is forbidden is no candidate: so the
    /// propensities are those of the choice that there really was.
    pub fn choose(&self, context: &Facts, candidates: &[Candidate], chance: f64) -> Option<Choice> {
        let situation = features(context, "");
        let seen: Vec<_> = candidates
            .iter()
            .map(|candidate| {
                let features = candidate.features();
                let example = self.model.example(&candidate.action, &situation, &features, &self.prior);
                let learned = self.model.predict(&example);
                let mean = (example.prior + learned.mean).clamp(0.0, 1.0);
                (features, example, Prediction { mean, ..learned })
            })
            .collect();
        let predictions: Vec<_> = seen.iter().map(|(_, _, prediction)| *prediction).collect();
        let explored = self.settings.exploration().probabilities(&predictions, self.model.examples());
        let learner = with_floor(explored, self.settings.floor);
        let priors: Vec<_> = seen.iter().map(|(_, example, _)| example.prior).collect();
        let baseline = self.baseline(&priors);
        let propensities = match self.mode {
            Mode::Live => learner.clone(),
            Mode::Apprentice => with_floor(baseline.clone(), self.settings.apprentice_floor),
        };
        let place = draw(&propensities, chance)?;

        let chances = propensities.iter().zip(learner.iter().zip(&baseline));
        let judged: Vec<_> = candidates
            .iter()
            .zip(predictions.iter().zip(chances))
            .map(|(Candidate { action, features }, (prediction, (propensity, (learner, baseline))))| Judged {
                action: action.clone(),
                features: features.clone(),
                score: prediction.mean,
                propensity: *propensity,
                learner: Some(*learner),
                baseline: Some(*baseline),
            })
            .collect();
        let chosen = judged.get(place)?.clone();
        let (features, example, prediction) = seen.into_iter().nth(place)?;
        let mut terms = self.model.contributions(&example, &situation, &features);
        for (term, adds) in &mut terms {
            *adds += self.prior.weight(term) * term.value;
        }
        let mattered = reasoning::weightiest(&terms);
        Some(Choice {
            reasoning: reasoning::explain(self.mode, &chosen, &judged, &mattered),
            confidence: 1.0 / (1.0 + prediction.variance),
            chosen,
            candidates: judged,
            mattered,
            example,
        })
    }

    /// What the baseline does: one action for sure.
    fn baseline(&self, priors: &[f64]) -> Vec<f64> {
        match self.settings.baseline {
            Baseline::Prior => {
                let predictions: Vec<_> =
                    priors.iter().map(|mean| Prediction { mean: *mean, variance: 0.0 }).collect();
                Exploration::Greedy.probabilities(&predictions, 0)
            }
            Baseline::First => (0..priors.len()).map(|place| if place == 0 { 1.0 } else { 0.0 }).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use rand::rngs::StdRng;
    use rand::{RngExt as _, SeedableRng as _};

    use super::*;
    use crate::domain::explorer::Explorer;
    use crate::domain::facts::Fact;
    use crate::domain::settings::Form;

    fn policy_of(form: Form, prior: &[(&str, f64)]) -> Policy {
        let prior: BTreeMap<_, _> =
            prior.iter().map(|(name, weight)| ((*name).to_owned(), *weight)).collect();
        Policy {
            version: 1,
            mode: Mode::Live,
            settings: Settings::default(),
            default_actions: Vec::new(),
            prior: Prior::from(&prior),
            model: Model::new(form, 64, 1.0),
        }
    }

    fn policy(prior: &[(&str, f64)]) -> Policy {
        policy_of(Form::Shared, prior)
    }

    fn candidates(actions: &[&str]) -> Vec<Candidate> {
        actions.iter().map(|action| Candidate::from((*action).to_owned())).collect()
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
                policy.model.learn(&[(choice.example, earned)]);
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
            policy.model.learn(&[(choice.example, 1.0)]);
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
    fn run(form: Form, explorer: &str, seed: u64, rounds: usize) -> [f64; 4] {
        let mut chance = StdRng::seed_from_u64(seed);
        let mut policy = policy_of(form, &[("bias", 0.5)]);
        policy.settings.explorer = serde_json::from_str::<Explorer>(explorer).unwrap();
        policy.settings.floor = 0.03;
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
            policy.model.learn(&[(choice.example, earned)]);
            quarters[round * 4 / rounds] += earned * 4.0 / f64::from(u32::try_from(rounds).unwrap());
        }
        quarters
    }

    #[test]
    fn it_learns() {
        for (form, explorer) in [
            (Form::Shared, r#"{"type": "square_cb", "gamma": 50}"#),
            (Form::PerAction, r#"{"type": "square_cb", "gamma": 50}"#),
            (Form::PerAction, r#"{"type": "reg_cb", "width": 0.5}"#),
            (Form::Shared, r#"{"type": "thompson", "width": 0.3}"#),
            (Form::Shared, r#"{"type": "lin_ucb", "width": 0.3}"#),
        ] {
            let runs: Vec<_> = (1..=20).map(|seed| run(form, explorer, seed, 240)).collect();
            let mean = |quarter: usize| runs.iter().map(|run| run[quarter]).sum::<f64>() / 20.0;
            let (first, last) = (mean(0), mean(3));
            assert!(
                first > 0.45,
                "from the first quarter on it beats choosing blindly, 0.4: {form} {explorer} {first}"
            );
            assert!(last > first + 0.08, "it gets better: {form} {explorer} {first}, then {last}");
            assert!(last > 0.68, "it gets near 0.8, the best there is: {form} {explorer} {last}");
        }
    }

    #[test]
    fn an_apprentice_does_what_is_usual() {
        let mut policy = policy(&[("bias", 0.5), ("action=hold", 0.2)]);
        policy.mode = Mode::Apprentice;
        let actions = candidates(&["approve", "hold"]);
        for _ in 0..50 {
            let seen = policy.choose(&Facts::default(), &actions, 0.0).unwrap();
            assert_eq!(seen.chosen.action, "approve", "the first 0.05 is the other one");
            policy.model.learn(&[(seen.example, 1.0)]);
        }
        let choice = policy.choose(&Facts::default(), &actions, 0.5).unwrap();
        assert_eq!(choice.chosen.action, "hold");
        assert!((choice.chosen.propensity - 0.95).abs() < 1e-12 && choice.chosen.baseline == Some(1.0));
        assert!(choice.chosen.learner.unwrap() < 0.4, "the policy itself knows better: {choice:?}");
        policy.settings.baseline = Baseline::First;
        let choice = policy.choose(&Facts::default(), &actions, 0.5).unwrap();
        assert_eq!((choice.chosen.action.as_str(), choice.chosen.baseline), ("approve", Some(1.0)));
    }
}
