//! Exploration: which action is tried, given what is predicted of each.

/// SquareCB's inverse gap weighting (Foster and Rakhlin 2020, "Beyond UCB: optimal and efficient contextual
/// bandits with regression oracles"): among K actions, each that is not predicted best is chosen with the
/// probability 1 / (K + gamma * gap), gap being what its prediction lacks to the best; the best one has the
/// rest.
///
/// So every action keeps a chance, the smaller the worse it looks: the price of learning is bounded, and
/// what another policy would have earned can be estimated from what this one did.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SquareCb {
    /// How much a gap counts; above 0. The larger, the less is explored.
    pub gamma: f64,
}

impl SquareCb {
    /// The probability of each action, given its predicted reward from 0 to 1. They sum to 1, and none is
    /// 0. Of several best actions, the first one has the rest.
    pub fn propensities(self, scores: &[f64]) -> Vec<f64> {
        let best = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let chosen = scores.iter().position(|score| *score >= best);
        let count: f64 = scores.iter().map(|_| 1.0).sum();
        let mut propensities: Vec<_> =
            scores.iter().map(|score| 1.0 / (count + self.gamma * (best - score))).collect();
        let others: f64 = propensities
            .iter()
            .enumerate()
            .filter(|(place, _)| Some(*place) != chosen)
            .map(|(_, propensity)| propensity)
            .sum();
        if let Some(propensity) = chosen.and_then(|place| propensities.get_mut(place)) {
            *propensity = 1.0 - others;
        }
        propensities
    }
}

/// The action that `chance`, a number from 0 up to but not including 1, falls on; none if there is none.
pub fn draw(propensities: &[f64], chance: f64) -> Option<usize> {
    let mut reached = 0.0;
    let drawn = propensities.iter().position(|propensity| {
        reached += propensity;
        chance < reached
    });
    // Rounding may leave a gap below 1.
    drawn.or(propensities.len().checked_sub(1))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_gap_decides() {
        let found = SquareCb { gamma: 10.0 }.propensities(&[0.5, 0.9, 0.8]);
        let expected = [1.0 / 7.0, 1.0 - 1.0 / 7.0 - 1.0 / 4.0, 1.0 / 4.0];
        for (found, expected) in found.iter().zip(expected) {
            assert!((found - expected).abs() < 1e-12, "{found} is not {expected}");
        }
        assert_eq!(SquareCb { gamma: 10.0 }.propensities(&[0.3]), [1.0]);
        assert!(SquareCb { gamma: 10.0 }.propensities(&[]).is_empty());
    }

    #[test]
    fn chance_falls_on_each_action_as_often_as_it_should() {
        let propensities = [0.25, 0.5, 0.25];
        let drawn = |chance| draw(&propensities, chance).unwrap();
        assert_eq!([0.0, 0.24, 0.25, 0.74, 0.75, 0.99].map(drawn), [0, 0, 1, 1, 2, 2]);
        assert_eq!(draw(&[0.3, 0.3], 0.99), Some(1));
        assert_eq!(draw(&[], 0.5), None);
    }

    proptest! {
        #[test]
        fn propensities_are_a_distribution_and_every_action_keeps_a_chance(
            scores in proptest::collection::vec(0.0..=1.0_f64, 1..100),
            gamma in 1e-3..1e9_f64,
            chance in 0.0..1.0_f64,
        ) {
            let propensities = SquareCb { gamma }.propensities(&scores);
            prop_assert!((propensities.iter().sum::<f64>() - 1.0).abs() < 1e-9);
            prop_assert!(propensities.iter().all(|propensity| *propensity > 0.0 && *propensity <= 1.0));
            let best = scores.iter().copied().fold(0.0, f64::max);
            let likeliest = (0..scores.len()).max_by(|a, b| propensities[*a].total_cmp(&propensities[*b])).unwrap();
            prop_assert!(scores[likeliest] > best - 1e-6, "nothing is likelier than the best action");
            prop_assert!(draw(&propensities, chance).is_some());
        }
    }
}
