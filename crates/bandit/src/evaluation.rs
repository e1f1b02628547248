//! Off-policy evaluation: what another policy would have earned, from what this one did.

/// Standard errors between a value and the ends of its interval: 95 of 100 such intervals have the value in them, once
/// there are enough decisions for the central limit theorem.
const WIDTH: f64 = 1.96;

/// A decision of which it is known what came of it, and what the policy that is judged would have made of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Logged {
    /// The probability with which the action was chosen; above 0.
    pub propensity: f64,
    /// What came of it.
    pub reward: f64,
    /// The probability with which the judged policy would have chosen the same action.
    pub target: f64,
    /// What a model expects of that action.
    pub expected: f64,
    /// What the model expects of the judged policy: the mean over its actions, each with its probability.
    pub expected_of_target: f64,
}

/// What a policy is worth per decision.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// The estimate.
    pub value: f64,
    /// Its standard error.
    pub error: f64,
    /// The lower end of its 95 % interval.
    pub lower: f64,
    /// The upper end.
    pub upper: f64,
}

impl Estimate {
    fn new(value: f64, error: f64) -> Self {
        Self { value, error, lower: value - WIDTH * error, upper: value + WIDTH * error }
    }
}

/// Three estimates of one value. They agree where there is enough to go by.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Evaluation {
    /// How many decisions.
    pub decisions: usize,
    /// How many decisions of the judged policy itself would say as much (Kish 1965): (sum w)^2 / sum w^2.
    pub effective: f64,
    /// Inverse propensity score (Horvitz and Thompson 1952): unbiased, and as wild as the largest weight.
    pub ips: Estimate,
    /// The same, normalised by the sum of the weights (Swaminathan and Joachims 2015): within the rewards.
    pub snips: Estimate,
    /// Doubly robust (Dudík, Langford and Li 2011): the model, and the weights for what it misses.
    pub dr: Estimate,
}

/// Judges a policy by decisions that were made without it; nothing by none.
pub fn evaluate(decisions: &[Logged]) -> Option<Evaluation> {
    let weight = |logged: &Logged| logged.target / logged.propensity;
    let weights: f64 = decisions.iter().map(weight).sum();
    let squares: f64 = decisions.iter().map(|logged| weight(logged).powi(2)).sum();
    let (mean, error) = mean(decisions.iter().map(|logged| weight(logged) * logged.reward))?;
    let ips = Estimate::new(mean, error);
    let snips = if weights > 0.0 {
        let value = decisions.iter().map(|logged| weight(logged) * logged.reward).sum::<f64>() / weights;
        let missed = decisions.iter().map(|logged| (weight(logged) * (logged.reward - value)).powi(2));
        Estimate::new(value, missed.sum::<f64>().sqrt() / weights)
    } else {
        Estimate::new(0.0, f64::INFINITY)
    };
    let doubly = decisions
        .iter()
        .map(|logged| logged.expected_of_target + weight(logged) * (logged.reward - logged.expected));
    let (value, error) = self::mean(doubly)?;
    Some(Evaluation {
        decisions: decisions.len(),
        effective: if squares > 0.0 { weights.powi(2) / squares } else { 0.0 },
        ips,
        snips,
        dr: Estimate::new(value, error),
    })
}

/// The mean, and its standard error, which is not known of a single number.
fn mean(values: impl Iterator<Item = f64>) -> Option<(f64, f64)> {
    // Welford's.
    let (mut count, mut mean, mut squares) = (0.0, 0.0, 0.0);
    for value in values {
        count += 1.0;
        let step = value - mean;
        mean += step / count;
        squares += step * (value - mean);
    }
    let error = if count > 1.0 { (squares / (count - 1.0) / count).sqrt() } else { f64::INFINITY };
    (count > 0.0).then_some((mean, error))
}

#[cfg(test)]
mod tests {
    use rand::rngs::StdRng;
    use rand::{RngExt as _, SeedableRng as _};

    use super::*;

    /// What each of two actions earns, how often the log tries the second, and the judged policy.
    const WORTH: [f64; 2] = [0.3, 0.6];
    const TRIED: f64 = 0.2;
    const WANTED: f64 = 0.9;

    fn log(seed: u64, decisions: usize, model: [f64; 2]) -> Vec<Logged> {
        let mut chance = StdRng::seed_from_u64(seed);
        let of = |second: f64, action: usize| if action == 1 { second } else { 1.0 - second };
        (0..decisions)
            .map(|_| {
                let action = usize::from(chance.random::<f64>() < TRIED);
                Logged {
                    propensity: of(TRIED, action),
                    reward: f64::from(chance.random::<f64>() < WORTH[action]),
                    target: of(WANTED, action),
                    expected: model[action],
                    expected_of_target: model[0] * (1.0 - WANTED) + model[1] * WANTED,
                }
            })
            .collect()
    }

    /// 0.1 * 0.3 + 0.9 * 0.6.
    const VALUE: f64 = 0.57;

    #[test]
    fn intervals_have_the_value_in_them_as_often_as_they_should() {
        for model in [WORTH, [0.9, 0.1]] {
            let all: Vec<_> = (0..400).map(|seed| evaluate(&log(seed, 800, model)).unwrap()).collect();
            for of in [|e: &Evaluation| e.ips, |e: &Evaluation| e.snips, |e: &Evaluation| e.dr] {
                let covers = |e: &&Evaluation| of(e).lower <= VALUE && VALUE <= of(e).upper;
                let share = all.iter().filter(covers).count();
                // 380 of 400, with a standard deviation of 4.4.
                assert!((362..=397).contains(&share), "{share} of 400");
            }
        }
    }

    #[test]
    fn a_model_that_is_right_makes_it_surer_and_one_that_is_wrong_does_no_harm() {
        let right = evaluate(&log(7, 20_000, WORTH)).unwrap();
        let wrong = evaluate(&log(7, 20_000, [0.9, 0.1])).unwrap();
        assert!(right.dr.error < right.ips.error && right.dr.error < wrong.dr.error);
        assert!((wrong.dr.value - VALUE).abs() < 4.0 * wrong.dr.error);
        assert!(right.effective > 3_000.0 && right.effective < 8_000.0, "{}", right.effective);
    }

    #[test]
    fn of_nothing_nothing_is_said() {
        assert_eq!(evaluate(&[]), None);
        let never = Logged { target: 0.0, ..log(1, 1, WORTH)[0] };
        let found = evaluate(&[never]).unwrap();
        assert!(found.snips.error.is_infinite() && found.effective == 0.0);
    }
}
