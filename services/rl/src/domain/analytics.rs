use serde::Serialize;
use utoipa::ToSchema;

/// The decisions of one kind for one action, counted.
#[derive(Clone, Debug, PartialEq)]
pub struct Tally {
    /// The kind of decision.
    pub kind: String,
    /// The action chosen.
    pub action: String,
    /// How many decisions.
    pub decisions: i64,
    /// How many of them have an outcome.
    pub outcomes: i64,
    /// The mean reward of those.
    pub mean_reward: Option<f64>,
}

/// What came of the decisions of one kind.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct KindReport {
    /// The kind of decision.
    pub kind: String,
    /// How many were made.
    pub decisions: i64,
    /// How many of them have an outcome.
    pub outcomes: i64,
    /// The mean reward of those; null without any.
    pub mean_reward: Option<f64>,
    /// The same for each action that was chosen.
    pub actions: Vec<ActionReport>,
}

/// What came of choosing one action.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct ActionReport {
    /// The action.
    pub action: String,
    /// How often it was chosen.
    pub count: i64,
    /// How many of those decisions have an outcome.
    pub outcomes: i64,
    /// The mean reward of those; null without any.
    pub mean_reward: Option<f64>,
}

/// Sums up `tallies` for one kind.
pub fn report(kind: &str, tallies: &[Tally]) -> KindReport {
    let ours = || tallies.iter().filter(|tally| tally.kind == kind);
    KindReport {
        kind: kind.to_owned(),
        decisions: ours().map(|tally| tally.decisions).sum(),
        outcomes: ours().map(|tally| tally.outcomes).sum(),
        mean_reward: mean(ours().filter_map(|tally| Some((tally.outcomes, tally.mean_reward?)))),
        actions: ours()
            .map(|tally| ActionReport {
                action: tally.action.clone(),
                count: tally.decisions,
                outcomes: tally.outcomes,
                mean_reward: tally.mean_reward,
            })
            .collect(),
    }
}

/// The mean of means, each weighed by how many numbers it is of.
#[expect(clippy::cast_precision_loss, reason = "nobody counts to 2^53")]
fn mean(means: impl Iterator<Item = (i64, f64)>) -> Option<f64> {
    let (count, sum) =
        means.fold((0, 0.0), |(count, sum), (more, mean)| (count + more, sum + mean * more as f64));
    (count > 0).then(|| sum / count as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(kind: &str, action: &str, decisions: i64, outcomes: i64, mean_reward: Option<f64>) -> Tally {
        Tally { kind: kind.to_owned(), action: action.to_owned(), decisions, outcomes, mean_reward }
    }

    #[test]
    fn a_kind_is_the_sum_of_its_actions() {
        let tallies = [
            tally("general", "a", 5, 3, Some(1.0)),
            tally("general", "b", 2, 1, Some(0.0)),
            tally("general", "c", 1, 0, None),
            tally("lead_score", "contact", 9, 9, Some(0.5)),
        ];
        let found = report("general", &tallies);
        assert_eq!((found.decisions, found.outcomes, found.mean_reward), (8, 4, Some(0.75)));
        assert_eq!(found.actions.len(), 3);
        let none = report("event_score", &tallies);
        assert_eq!((none.decisions, none.mean_reward, none.actions), (0, None, Vec::new()));
    }
}
