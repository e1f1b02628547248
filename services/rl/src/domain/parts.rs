//! Rewards that have parts: success, cost, time, satisfaction, whatever a kind of decision is rewarded for.

use std::collections::BTreeMap;

use super::reward::Reward;

/// What is known of how a decision turned out, by part.
pub type Parts = BTreeMap<String, Reward>;

/// The weighted mean of the parts that are known; nothing if none is.
pub fn compose(weights: &BTreeMap<String, f64>, known: &Parts) -> Option<Reward> {
    let weighted = known.iter().filter_map(|(name, part)| Some((part.get(), *weights.get(name)?)));
    let (sum, weight) =
        weighted.fold((0.0, 0.0), |(sum, all), (part, weight)| (sum + part * weight, all + weight));
    // The mean of numbers from 0 to 1, but for rounding.
    (weight > 0.0).then(|| Reward::try_from((sum / weight).clamp(0.0, 1.0)).ok()).flatten()
}

/// Whether every part that counts is known.
pub fn is_complete(weights: &BTreeMap<String, f64>, known: &Parts) -> bool {
    weights.keys().all(|name| known.contains_key(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reward_is_the_weighted_mean_of_what_is_known() {
        let weights = BTreeMap::from([("success".to_owned(), 0.6), ("time".to_owned(), 0.2)]);
        let part = |name: &str, number: f64| (name.to_owned(), Reward::try_from(number).unwrap());
        let known = Parts::from([part("success", 1.0), part("time", 0.2)]);
        assert!((compose(&weights, &known).unwrap().get() - 0.8).abs() < 1e-12);
        assert!(is_complete(&weights, &known));
        let some = Parts::from([part("time", 0.2), part("colour", 1.0)]);
        assert!((compose(&weights, &some).unwrap().get() - 0.2).abs() < 1e-12);
        assert!(!is_complete(&weights, &some));
        assert_eq!(compose(&weights, &Parts::new()), None);
    }
}
