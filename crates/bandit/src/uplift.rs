//! What one policy earns more than another, and how sure that is at any time.

use crate::sequence::Sequence;

/// Importance weights are cut at it. The larger, the longer it takes to be sure; the smaller, the less of what rarely
/// tried actions earn is counted.
const LARGEST_WEIGHT: f64 = 10.0;

/// How far from 0 a single observation can be: a weight's worth, and a whole reward of doubt.
const REACH: f64 = LARGEST_WEIGHT + 1.0;

/// The chances of one action in one decision.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Chances {
    /// The probability with which the action was to be chosen; above 0.
    pub propensity: f64,
    /// The probability with which the challenger would have chosen it.
    pub challenger: f64,
    /// The probability with which the champion would have chosen it.
    pub champion: f64,
}

/// Bounds on the mean reward per decision that a challenger earns more than a champion, from decisions that were made
/// with known propensities; rewards are from 0 to 1. With the probability 1 - 2 alpha, what is estimated is within the
/// bounds after every decision (see [`Sequence`]).
///
/// Each decision is an observation by inverse propensity score, (challenger - champion) / propensity * reward. Where the
/// weight is cut, what is not counted is at most what the cut actions could earn, a whole reward each: that much is
/// taken off the lower bound and added to the upper one. So both hold, however rarely an action was tried.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Uplift {
    lower: Sequence,
    upper: Sequence,
}

impl Uplift {
    /// Before the first decision. `alpha`, between 0 and 1, is how often each bound may be wrong at all.
    pub fn new(alpha: f64) -> Self {
        Self { lower: Sequence::new(alpha), upper: Sequence::new(alpha) }
    }

    /// Goes on from what [`Uplift::state`] gave, with the same `alpha`; begins anew if that has another length.
    pub fn restore(alpha: f64, state: &[f64]) -> Self {
        let half = |half: Option<&[f64; 6]>| {
            half.map_or_else(|| Sequence::new(alpha), |state| Sequence::restore(alpha, *state))
        };
        if state.len() == 12 {
            Self { lower: half(state.first_chunk()), upper: half(state.last_chunk()) }
        } else {
            Self::new(alpha)
        }
    }

    /// All that it knows, to be kept: twelve numbers.
    pub fn state(&self) -> Vec<f64> {
        self.lower.state().into_iter().chain(self.upper.state()).collect()
    }

    /// Takes up a decision: the chances of the action that was chosen, what it earned, and the chances of all actions
    /// that could have been, the chosen one too.
    pub fn observe(&mut self, chosen: Chances, reward: f64, all: impl IntoIterator<Item = Chances>) {
        let weight = (1.0 / chosen.propensity).min(LARGEST_WEIGHT);
        let observed = (chosen.challenger - chosen.champion) * weight * reward;
        let (mut gained, mut lost) = (0.0, 0.0);
        for Chances { propensity, challenger, champion } in all {
            let uncounted = 1.0 - (LARGEST_WEIGHT * propensity).min(1.0);
            gained += uncounted * (challenger - champion).max(0.0);
            lost += uncounted * (champion - challenger).max(0.0);
        }
        self.lower.observe(to_unit(observed - lost));
        self.upper.observe(to_unit(observed + gained));
    }

    /// The lower and the upper bound, from -1 to 1.
    pub fn bounds(&self) -> (f64, f64) {
        let (lower, upper) = (self.lower.bounds().0, self.upper.bounds().1);
        (from_unit(lower).clamp(-1.0, 1.0), from_unit(upper).clamp(-1.0, 1.0))
    }

    /// Decisions that were taken up.
    pub fn count(&self) -> f64 {
        self.lower.count()
    }
}

fn to_unit(observed: f64) -> f64 {
    ((observed + REACH) / (2.0 * REACH)).clamp(0.0, 1.0)
}

fn from_unit(bound: f64) -> f64 {
    bound * 2.0 * REACH - REACH
}

#[cfg(test)]
mod tests {
    use rand::rngs::StdRng;
    use rand::{RngExt as _, SeedableRng as _};

    use super::*;
    use crate::draw;

    /// Two actions: the champion takes the first, which earns 0.3; the challenger the second, which earns 0.7.
    fn after(seed: u64, decisions: usize, tried: f64, mut each: impl FnMut(&Uplift)) -> Uplift {
        let mut chance = StdRng::seed_from_u64(seed);
        let mut uplift = Uplift::new(0.025);
        let chances = [
            Chances { propensity: 1.0 - tried, challenger: 0.0, champion: 1.0 },
            Chances { propensity: tried, challenger: 1.0, champion: 0.0 },
        ];
        for _ in 0..decisions {
            let action = draw(&[1.0 - tried, tried], chance.random()).unwrap();
            let reward = f64::from(chance.random::<f64>() < [0.3, 0.7][action]);
            uplift.observe(chances[action], reward, chances);
            each(&uplift);
        }
        uplift
    }

    #[test]
    fn the_uplift_is_within_its_bounds_at_any_time() {
        // Also where the second action is tried so rarely that its weight is cut: 1 / 0.03 is more than 10.
        for tried in [0.5, 0.2, 0.03] {
            let deceived = (0..100).filter(|seed| {
                let mut outside = false;
                after(*seed, 1_500, tried, |uplift| {
                    let (lower, upper) = uplift.bounds();
                    outside |= !(lower..=upper).contains(&0.4);
                });
                outside
            });
            // At most 5 of 100, with a standard deviation of 2.2.
            let deceived = deceived.count();
            assert!(deceived <= 11, "{deceived} of 100 with {tried}");
        }
    }

    #[test]
    fn enough_decisions_make_it_sure() {
        let (lower, upper) = after(1, 4_000, 0.3, |_| ()).bounds();
        assert!(lower > 0.2 && upper < 0.6, "{lower} {upper}");
        assert_eq!(Uplift::new(0.05).bounds(), (-1.0, 1.0));
    }

    #[test]
    fn what_is_kept_is_gone_on_from() {
        let uplift = after(1, 50, 0.3, |_| ());
        assert_eq!(Uplift::restore(0.025, &uplift.state()), uplift);
        assert_eq!(Uplift::restore(0.025, &[1.0]), Uplift::new(0.025));
    }
}
