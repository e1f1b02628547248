//! What a policy earns more than its baseline.

use bhiv_bandit::Uplift;
use bhiv_bandit::uplift::Chances;

use super::decision::Judged;
use super::settings::{Mode, Settings};

/// Before the first decision.
pub fn begin(settings: &Settings) -> Uplift {
    Uplift::new(settings.alpha)
}

/// Takes up a decision that chose `action` and earned `reward`. One that was made before it was known what the policy
/// and the baseline would have done tells nothing.
pub fn observe(uplift: &mut Uplift, candidates: &[Judged], action: &str, reward: f64) {
    let chances = |judged: &Judged| {
        Some(Chances {
            propensity: judged.propensity,
            challenger: judged.learner?,
            champion: judged.baseline?,
        })
    };
    let Some(all) = candidates.iter().map(chances).collect::<Option<Vec<_>>>() else { return };
    let Some(chosen) = candidates.iter().find(|judged| judged.action == action).and_then(chances) else {
        return;
    };
    uplift.observe(chosen, reward, all);
}

/// Who should decide, by the bounds, if another one than now.
pub fn verdict(mode: Mode, uplift: &Uplift) -> Option<Mode> {
    let (lower, upper) = uplift.bounds();
    match mode {
        Mode::Apprentice if lower > 0.0 => Some(Mode::Live),
        Mode::Live if upper < 0.0 => Some(Mode::Apprentice),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::facts::Facts;

    fn judged(action: &str, propensity: f64, learner: f64, baseline: f64) -> Judged {
        Judged {
            action: action.to_owned(),
            features: Facts::default(),
            score: 0.5,
            propensity,
            learner: Some(learner),
            baseline: Some(baseline),
        }
    }

    /// Half of the decisions go to each; only the second earns anything.
    fn after(learner: f64, decisions: usize) -> Uplift {
        let mut uplift = begin(&Settings::default());
        let candidates = [
            judged("a", 0.5, 1.0 - learner, 1.0 - (1.0 - learner)),
            judged("b", 0.5, learner, 1.0 - learner),
        ];
        for decision in 0..decisions {
            let (action, reward) = if decision % 2 == 0 { ("a", 0.0) } else { ("b", 1.0) };
            observe(&mut uplift, &candidates, action, reward);
        }
        uplift
    }

    #[test]
    fn the_bounds_say_who_decides() {
        assert_eq!(verdict(Mode::Apprentice, &after(1.0, 1_000)), Some(Mode::Live));
        assert_eq!(verdict(Mode::Live, &after(1.0, 1_000)), None);
        assert_eq!(verdict(Mode::Live, &after(0.0, 1_000)), Some(Mode::Apprentice));
        assert_eq!(verdict(Mode::Apprentice, &after(0.0, 1_000)), None);
        assert_eq!(verdict(Mode::Apprentice, &after(1.0, 10)), None, "ten decisions prove nothing");
    }

    #[test]
    fn what_is_not_known_tells_nothing() {
        let mut uplift = begin(&Settings::default());
        let old = [Judged { learner: None, ..judged("a", 1.0, 1.0, 1.0) }];
        observe(&mut uplift, &old, "a", 1.0);
        assert!(uplift.count() < 0.5);
    }
}
