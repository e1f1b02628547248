use bhiv_types::Patch;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// What a customer says about an order.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewFeedback {
    /// The order.
    pub order_id: Uuid,
    /// 1, very bad, to 5, very good.
    #[schema(minimum = 1, maximum = 5)]
    pub rating: i16,
    /// In the customer's words.
    #[schema(min_length = 1, max_length = 4000)]
    pub comment: Option<String>,
    /// What it is about, for example `speed`.
    #[serde(default)]
    #[schema(max_items = 20)]
    pub categories: Vec<String>,
}

/// What the customer may change about it. Absent fields stay, `null` clears.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FeedbackChange {
    /// 1, very bad, to 5, very good.
    #[schema(minimum = 1, maximum = 5)]
    pub rating: Option<i16>,
    /// In the customer's words.
    #[serde(default)]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 4000)]
    pub comment: Patch<String>,
    /// What it is about.
    #[schema(max_items = 20)]
    pub categories: Option<Vec<String>>,
}

/// What customers say, as numbers.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Ratings {
    /// How many said something.
    pub count: i64,
    /// The mean of their ratings, 1 to 5; null when nobody did.
    pub mean: Option<f64>,
    /// How many gave 1, 2, 3, 4 and 5.
    pub distribution: [i64; 5],
    /// Those who gave 5 less those who gave 3 or less, of all, -1 to 1: the net promoter score carried over from ten
    /// steps to five (9 and 10 are 5, 0 to 6 are 1 to 3); null when nobody said anything.
    pub net_promoters: Option<f64>,
}

impl Ratings {
    /// From how many gave which rating.
    #[expect(clippy::cast_precision_loss, reason = "counts of feedback are far below 2^53")]
    pub fn of(counts: &[(i16, i64)]) -> Self {
        let mut distribution = [0; 5];
        for (place, slot) in (1_i16..).zip(&mut distribution) {
            *slot = counts.iter().filter(|(rating, _)| *rating == place).map(|(_, count)| count).sum();
        }
        let [one, two, three, four, five] = distribution;
        let count = one + two + three + four + five;
        let of_all = |part: i64| (count > 0).then(|| part as f64 / count as f64);
        Self {
            count,
            mean: of_all(one + 2 * two + 3 * three + 4 * four + 5 * five),
            distribution,
            net_promoters: of_all(five - one - two - three),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratings_are_counted() {
        let none = Ratings::of(&[]);
        assert_eq!((none.count, none.mean, none.net_promoters), (0, None, None));
        let some = Ratings::of(&[(5, 2), (4, 1), (1, 1)]);
        assert_eq!((some.count, some.mean, some.distribution), (4, Some(3.75), [1, 0, 0, 1, 2]));
        assert_eq!(some.net_promoters, Some(0.25));
    }
}
