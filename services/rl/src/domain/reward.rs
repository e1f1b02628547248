use serde::{Deserialize, Serialize};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

/// How a decision turned out: from 0, the worst, to 1, the best.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "f64")]
pub struct Reward(f64);

impl Reward {
    /// The best.
    pub const BEST: Self = Self(1.0);
    /// The worst.
    pub const WORST: Self = Self(0.0);

    /// The reward of a customer's rating, from 1 to 5; none for any other number.
    pub fn of_rating(rating: i16) -> Option<Self> {
        (1..=5).contains(&rating).then(|| Self(f64::from(rating - 1) / 4.0))
    }

    /// The number.
    pub fn get(self) -> f64 {
        self.0
    }
}

impl TryFrom<f64> for Reward {
    type Error = String;

    fn try_from(number: f64) -> Result<Self, String> {
        if (0.0..=1.0).contains(&number) {
            Ok(Self(number))
        } else {
            Err(format!("{number} is no reward: it must be from 0 to 1"))
        }
    }
}

impl ToSchema for Reward {}

impl PartialSchema for Reward {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::Number)
            .description(Some("How it turned out: from 0, the worst, to 1, the best."))
            .minimum(Some(0))
            .maximum(Some(1))
            .into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rating_is_a_reward() {
        for (rating, reward) in [(1, 0.0), (2, 0.25), (3, 0.5), (4, 0.75), (5, 1.0)] {
            assert_eq!(Reward::of_rating(rating), Some(Reward(reward)));
        }
        assert_eq!((Reward::of_rating(0), Reward::of_rating(6)), (None, None));
    }

    #[test]
    fn what_is_out_of_bounds_is_no_reward() {
        for number in [-0.1, 1.1, f64::NAN, f64::INFINITY] {
            assert!(Reward::try_from(number).is_err(), "{number}");
        }
    }
}
