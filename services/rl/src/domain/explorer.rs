use bhiv_bandit::Exploration;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How what is expected of actions becomes the probability of each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, strum::Display)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum ExplorerType {
    /// The best action. What others would have earned is known by the floor alone.
    Greedy,
    /// The best one, and any one with the probability `epsilon` together.
    EpsilonGreedy,
    /// Inverse gap weighting: the worse an action is expected to be, the rarer it is tried; `gamma` says how much so,
    /// times the number of outcomes to the power of `exponent`.
    SquareCb,
    /// The action with the highest upper bound, `width` deviations above what is expected of it.
    LinUcb,
    /// Any action that may be the best one, `width` deviations considered, each as often.
    RegCb,
    /// Each action as often as it is probably the best one, with `width` times its deviation.
    Thompson,
}

/// How a policy explores. Each type has its own numbers, and no others.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Explorer {
    /// How.
    pub r#type: ExplorerType,
    /// Of `epsilon_greedy`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0, maximum = 1)]
    pub epsilon: Option<f64>,
    /// Of `square_cb`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(exclusive_minimum = 0, maximum = 1_000_000_000)]
    pub gamma: Option<f64>,
    /// Of `square_cb`; 0, unless it says otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0, maximum = 1)]
    pub exponent: Option<f64>,
    /// Of `lin_ucb`, `reg_cb` and `thompson`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0, maximum = 100)]
    pub width: Option<f64>,
}

impl Default for Explorer {
    /// SquareCB, which needs nothing else: every action keeps a chance.
    fn default() -> Self {
        Self { r#type: ExplorerType::SquareCb, epsilon: None, gamma: Some(50.0), exponent: None, width: None }
    }
}

impl Explorer {
    /// As the library knows it.
    ///
    /// # Errors
    /// Each number that is missing or does not belong to the type.
    pub fn exploration(&self) -> Result<Exploration, Vec<String>> {
        let of_type: &[&str] = match self.r#type {
            ExplorerType::Greedy => &[],
            ExplorerType::EpsilonGreedy => &["epsilon"],
            ExplorerType::SquareCb => &["gamma"],
            ExplorerType::LinUcb | ExplorerType::RegCb | ExplorerType::Thompson => &["width"],
        };
        let given = [
            ("epsilon", self.epsilon),
            ("gamma", self.gamma),
            ("exponent", self.exponent),
            ("width", self.width),
        ];
        let faults: Vec<_> = given
            .iter()
            .filter_map(|(name, number)| {
                let may = self.r#type == ExplorerType::SquareCb && *name == "exponent";
                match (of_type.contains(name), number) {
                    (true, None) => Some(format!("'{}' needs {name}", self.r#type)),
                    (false, Some(_)) if !may => Some(format!("'{}' has no {name}", self.r#type)),
                    _ => None,
                }
            })
            .collect();
        if !faults.is_empty() {
            return Err(faults);
        }
        let [epsilon, gamma, exponent, width] = given.map(|(_, number)| number.unwrap_or(0.0));
        Ok(match self.r#type {
            ExplorerType::Greedy => Exploration::Greedy,
            ExplorerType::EpsilonGreedy => Exploration::EpsilonGreedy { epsilon },
            ExplorerType::SquareCb => Exploration::SquareCb { gamma, exponent },
            ExplorerType::LinUcb => Exploration::Optimism { width },
            ExplorerType::RegCb => Exploration::Elimination { width },
            ExplorerType::Thompson => Exploration::Thompson { width },
        })
    }

    /// Whether some actions get no chance at all, however little is known of them.
    pub fn leaves_out(&self) -> bool {
        let none = |number: Option<f64>| number.is_none_or(|number| number <= 0.0);
        match self.r#type {
            ExplorerType::SquareCb => false,
            ExplorerType::EpsilonGreedy => none(self.epsilon),
            _ => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_type_has_its_own_numbers() {
        let read = |text: &str| serde_json::from_str::<Explorer>(text).unwrap().exploration();
        assert_eq!(
            read(r#"{"type": "square_cb", "gamma": 20}"#),
            Ok(Exploration::SquareCb { gamma: 20.0, exponent: 0.0 })
        );
        assert_eq!(
            read(r#"{"type": "square_cb", "gamma": 1, "exponent": 0.5}"#),
            Ok(Exploration::SquareCb { gamma: 1.0, exponent: 0.5 })
        );
        assert_eq!(read(r#"{"type": "lin_ucb", "width": 2}"#), Ok(Exploration::Optimism { width: 2.0 }));
        assert_eq!(
            read(r#"{"type": "thompson", "gamma": 1, "exponent": 1}"#).unwrap_err(),
            ["'thompson' has no gamma", "'thompson' has no exponent", "'thompson' needs width"]
        );
        assert_eq!(read(r#"{"type": "greedy", "epsilon": 0}"#).unwrap_err(), ["'greedy' has no epsilon"]);
    }
}
