//! Exploration: which action is tried, given what is expected of each and how well that is known.

use crate::Prediction;

/// Steps of the integral in [`Exploration::Thompson`].
const STEPS: u32 = 256;

/// How predictions become probabilities.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Exploration {
    /// The best action.
    Greedy,
    /// The best one, and any one with the probability `epsilon` together.
    EpsilonGreedy {
        /// From 0 to 1.
        epsilon: f64,
    },
    /// Inverse gap weighting (Foster and Rakhlin 2020, "Beyond UCB: optimal and efficient contextual bandits with
    /// regression oracles"): of K actions, each but the best has the probability 1 / (K + g gap), gap being what is
    /// expected of it less than of the best one, and g = `gamma` n^`exponent` after n examples.
    SquareCb {
        /// How much a gap counts; above 0. The larger, the less is explored.
        gamma: f64,
        /// How fast that grows; 0 is not at all, 0.5 is what theory asks for.
        exponent: f64,
    },
    /// The action with the highest upper bound, mean + `width` times deviation: LinUCB (Li et al. 2010), and what
    /// RegCB-opt (Foster et al. 2018, "Practical contextual bandits with regression oracles") does with other bounds.
    Optimism {
        /// Deviations that a bound is away; 0 or above.
        width: f64,
    },
    /// Any action that may be the best one, each as often: those whose upper bound is not below another one's lower
    /// bound, as in RegCB-elimination (Foster et al. 2018).
    Elimination {
        /// Deviations that a bound is away; 0 or above.
        width: f64,
    },
    /// Thompson sampling (Agrawal and Goyal 2013, "Thompson sampling for contextual bandits with linear payoffs"): as
    /// probable as it is that the action is the best one, each reward being normal with `width` times its deviation.
    /// The probability is integrated instead of drawn, so that it is known.
    Thompson {
        /// Deviations that count as one; 0 or above.
        width: f64,
    },
}

impl Exploration {
    /// The probability of each action after `examples` outcomes. They sum to 1. Of several that are as good, the first
    /// one is the best.
    pub fn probabilities(self, predictions: &[Prediction], examples: i64) -> Vec<f64> {
        match self {
            Self::Greedy => only(predictions, |prediction| prediction.mean),
            Self::Optimism { width } => {
                only(predictions, |prediction| prediction.mean + width * prediction.deviation())
            }
            Self::EpsilonGreedy { epsilon } => {
                let best = only(predictions, |prediction| prediction.mean);
                with_floor(best, epsilon)
            }
            Self::SquareCb { gamma, exponent } => {
                square_cb(predictions, gamma * examples_f64(examples.max(1)).powf(exponent))
            }
            Self::Elimination { width } => elimination(predictions, width),
            Self::Thompson { width } => thompson(predictions, width),
        }
    }
}

/// Mixes in every action with the same probability, `floor` together: so each keeps a chance, and what another policy
/// would have earned can be told.
pub fn with_floor(mut probabilities: Vec<f64>, floor: f64) -> Vec<f64> {
    let each = floor / count(&probabilities);
    for probability in &mut probabilities {
        *probability = *probability * (1.0 - floor) + each;
    }
    probabilities
}

/// The action that `chance`, a number from 0 up to but not including 1, falls on; none if there is none.
pub fn draw(probabilities: &[f64], chance: f64) -> Option<usize> {
    let mut reached = 0.0;
    let drawn = probabilities.iter().position(|probability| {
        reached += probability;
        chance < reached
    });
    // Rounding may leave a gap below 1, and what has no chance must not fall into it.
    drawn.or_else(|| probabilities.iter().rposition(|probability| *probability > 0.0))
}

fn count<T>(items: &[T]) -> f64 {
    f64::from(u32::try_from(items.len()).unwrap_or(u32::MAX))
}

#[expect(clippy::cast_precision_loss, reason = "nobody counts to 2^53")]
fn examples_f64(examples: i64) -> f64 {
    examples as f64
}

/// The first of the largest.
fn best(values: impl Iterator<Item = f64>) -> Option<(usize, f64)> {
    values.enumerate().reduce(|best, next| if next.1 > best.1 { next } else { best })
}

fn only(predictions: &[Prediction], worth: impl Fn(&Prediction) -> f64) -> Vec<f64> {
    let best = best(predictions.iter().map(worth)).map(|(place, _)| place);
    (0..predictions.len()).map(|place| if Some(place) == best { 1.0 } else { 0.0 }).collect()
}

fn square_cb(predictions: &[Prediction], gamma: f64) -> Vec<f64> {
    let Some((best, most)) = best(predictions.iter().map(|prediction| prediction.mean)) else {
        return Vec::new();
    };
    let count = count(predictions);
    let mut probabilities: Vec<_> =
        predictions.iter().map(|prediction| 1.0 / (count + gamma * (most - prediction.mean))).collect();
    let all: f64 = probabilities.iter().sum();
    if let Some(probability) = probabilities.get_mut(best) {
        *probability += 1.0 - all;
    }
    probabilities
}

fn elimination(predictions: &[Prediction], width: f64) -> Vec<f64> {
    let bound = |prediction: &Prediction, side: f64| prediction.mean + side * width * prediction.deviation();
    let least =
        predictions.iter().map(|prediction| bound(prediction, -1.0)).fold(f64::NEG_INFINITY, f64::max);
    let may_be: Vec<_> = predictions.iter().map(|prediction| bound(prediction, 1.0) >= least).collect();
    let each = 1.0 / count(&may_be.iter().filter(|may| **may).collect::<Vec<_>>());
    may_be.into_iter().map(|may| if may { each } else { 0.0 }).collect()
}

/// P(action is best) = integral over t of its density at t times the probability that every other one is below t.
fn thompson(predictions: &[Prediction], width: f64) -> Vec<f64> {
    let spread = |prediction: &Prediction| width * prediction.deviation();
    let (mut from, mut to) = (f64::INFINITY, f64::NEG_INFINITY);
    for prediction in predictions {
        from = from.min(prediction.mean - 6.0 * spread(prediction));
        to = to.max(prediction.mean + 6.0 * spread(prediction));
    }
    // One that is known so well that the steps would miss it.
    let certain =
        predictions.iter().any(|prediction| spread(prediction) <= (to - from) / f64::from(STEPS) / 2.0);
    if certain || predictions.len() < 2 {
        return narrow(predictions, width);
    }
    let step = (to - from) / f64::from(STEPS);
    let mut probabilities = vec![0.0; predictions.len()];
    for at in 0..STEPS {
        let t = from + (f64::from(at) + 0.5) * step;
        let places: Vec<_> = predictions.iter().map(|p| (t - p.mean) / spread(p)).collect();
        let below: Vec<_> = places.iter().map(|z| normal_below(*z)).collect();
        let all: f64 = below.iter().product();
        for ((probability, prediction), (z, below)) in
            probabilities.iter_mut().zip(predictions).zip(places.iter().zip(&below))
        {
            if *below > 0.0 {
                let density = (-z * z / 2.0).exp() / (std::f64::consts::TAU.sqrt() * spread(prediction));
                *probability += density * all / below * step;
            }
        }
    }
    let sum: f64 = probabilities.iter().sum();
    probabilities.iter().map(|probability| probability / sum).collect()
}

/// An approximation, for deviations that differ by so much, or are 0, that the steps would miss the narrow ones: each
/// action is compared with the best one alone. Who draws by it knows the probabilities all the same.
fn narrow(predictions: &[Prediction], width: f64) -> Vec<f64> {
    let Some((best, most)) = best(predictions.iter().map(|prediction| prediction.mean)) else {
        return Vec::new();
    };
    let of_best = predictions.get(best).map_or(0.0, |prediction| prediction.variance);
    let mut probabilities: Vec<_> = predictions
        .iter()
        .enumerate()
        .map(|(place, prediction)| {
            let spread = width * (prediction.variance + of_best).sqrt();
            let gap = most - prediction.mean;
            match place {
                _ if place == best => 1.0,
                _ if spread > 0.0 => 2.0 * normal_below(-gap / spread),
                _ => 0.0,
            }
        })
        .collect();
    let sum: f64 = probabilities.iter().sum();
    for probability in &mut probabilities {
        *probability /= sum;
    }
    probabilities
}

/// The probability that a standard normal number is below `z`.
fn normal_below(z: f64) -> f64 {
    libm::erfc(-z / std::f64::consts::SQRT_2) / 2.0
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand::SeedableRng as _;
    use rand::rngs::StdRng;

    use super::*;

    fn known(means: &[f64], variance: f64) -> Vec<Prediction> {
        means.iter().map(|mean| Prediction { mean: *mean, variance }).collect()
    }

    fn assert_close(found: &[f64], wanted: &[f64], by: f64) {
        assert_eq!(found.len(), wanted.len());
        assert!(found.iter().zip(wanted).all(|(a, b)| (a - b).abs() < by), "{found:?} is not {wanted:?}");
    }

    #[test]
    fn the_gap_decides() {
        let square = |gamma, exponent| Exploration::SquareCb { gamma, exponent };
        let found = square(10.0, 0.0).probabilities(&known(&[0.5, 0.9, 0.8], 1.0), 100);
        assert_close(&found, &[1.0 / 7.0, 1.0 - 1.0 / 7.0 - 1.0 / 4.0, 1.0 / 4.0], 1e-12);
        // Ten times as much after a hundred examples.
        let later = square(1.0, 0.5).probabilities(&known(&[0.5, 0.9, 0.8], 1.0), 100);
        assert_close(&later, &found, 1e-12);
        assert_eq!(square(10.0, 0.5).probabilities(&known(&[0.3], 1.0), 0), [1.0]);
    }

    #[test]
    fn what_is_not_known_is_tried() {
        let predictions = [Prediction { mean: 0.6, variance: 0.0 }, Prediction { mean: 0.5, variance: 0.04 }];
        let of = |exploration: Exploration| exploration.probabilities(&predictions, 10);
        assert_eq!(of(Exploration::Greedy), [1.0, 0.0]);
        assert_eq!(of(Exploration::Optimism { width: 1.0 }), [0.0, 1.0], "0.7 is above 0.6");
        assert_eq!(of(Exploration::Optimism { width: 0.4 }), [1.0, 0.0], "0.58 is not");
        assert_eq!(of(Exploration::Elimination { width: 1.0 }), [0.5, 0.5]);
        assert_eq!(of(Exploration::Elimination { width: 0.4 }), [1.0, 0.0]);
        assert_close(&of(Exploration::EpsilonGreedy { epsilon: 0.1 }), &[0.95, 0.05], 1e-12);
    }

    /// The integral is what drawing gives.
    #[test]
    fn thompsons_probabilities_are_those_of_drawing() {
        let mut chance = StdRng::seed_from_u64(1);
        let predictions = [
            Prediction { mean: 0.5, variance: 0.04 },
            Prediction { mean: 0.6, variance: 0.01 },
            Prediction { mean: 0.3, variance: 0.25 },
        ];
        let wanted = Exploration::Thompson { width: 1.0 }.probabilities(&predictions, 10);
        let draws = 40_000;
        let mut won = [0.0; 3];
        for _ in 0..draws {
            // Box and Muller's.
            let normal = |chance: &mut StdRng| {
                let (u, v) = (1.0 - chance.random::<f64>(), chance.random::<f64>());
                (-2.0 * u.ln()).sqrt() * (std::f64::consts::TAU * v).cos()
            };
            let drawn = predictions.iter().map(|p| p.mean + p.deviation() * normal(&mut chance));
            won[best(drawn).unwrap().0] += 1.0 / f64::from(draws);
        }
        // Four standard deviations of the share of 40,000.
        assert_close(&won, &wanted, 0.01);
    }

    #[test]
    fn chance_falls_on_each_action_as_often_as_it_should() {
        let probabilities = [0.25, 0.5, 0.25, 0.0];
        let drawn = |chance| draw(&probabilities, chance).unwrap();
        assert_eq!([0.0, 0.24, 0.25, 0.74, 0.75, 0.99].map(drawn), [0, 0, 1, 1, 2, 2]);
        assert_eq!(draw(&[0.3, 0.3, 0.0], 0.99), Some(1), "what has no chance is not drawn");
        assert_eq!(draw(&[], 0.5), None);
    }

    fn any_exploration() -> impl Strategy<Value = Exploration> {
        prop_oneof![
            Just(Exploration::Greedy),
            (0.0..=1.0_f64).prop_map(|epsilon| Exploration::EpsilonGreedy { epsilon }),
            (1e-3..1e6_f64, 0.0..1.0_f64)
                .prop_map(|(gamma, exponent)| Exploration::SquareCb { gamma, exponent }),
            (0.0..3.0_f64).prop_map(|width| Exploration::Optimism { width }),
            (0.0..3.0_f64).prop_map(|width| Exploration::Elimination { width }),
            (0.0..3.0_f64).prop_map(|width| Exploration::Thompson { width }),
        ]
    }

    proptest! {
        #[test]
        fn probabilities_are_a_distribution(
            exploration in any_exploration(),
            predictions in proptest::collection::vec((-1.0..2.0_f64, 0.0..4.0_f64), 1..60),
            examples in 0..1_000_000_i64,
            chance in 0.0..1.0_f64,
        ) {
            let predictions: Vec<_> =
                predictions.into_iter().map(|(mean, variance)| Prediction { mean, variance }).collect();
            let probabilities = exploration.probabilities(&predictions, examples);
            prop_assert!((probabilities.iter().sum::<f64>() - 1.0).abs() < 1e-9, "{:?}", probabilities);
            prop_assert!(probabilities.iter().all(|probability| (0.0..=1.0 + 1e-12).contains(probability)));
            let drawn = draw(&probabilities, chance).unwrap();
            prop_assert!(probabilities[drawn] > 0.0);
            let floored = with_floor(probabilities, 0.1);
            let least = 0.1 / count(&floored) - 1e-12;
            prop_assert!((floored.iter().sum::<f64>() - 1.0).abs() < 1e-9);
            prop_assert!(floored.iter().all(|probability| *probability >= least));
        }
    }
}
