use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::ids::TaskId;

/// What a reviewer says.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, strum::Display, strum::EnumString,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum ReviewStatus {
    /// It is well done.
    Approved,
    /// It is not, and it stays so.
    Rejected,
    /// It is not, and it goes on.
    ChangesRequested,
}

/// How well a task was done, each part 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Dhi {
    /// Whether rules were kept.
    #[schema(minimum = 0, maximum = 1)]
    pub compliance: f64,
    /// What it took.
    #[schema(minimum = 0, maximum = 1)]
    pub efficiency: f64,
    /// How good it is.
    #[schema(minimum = 0, maximum = 1)]
    pub quality: f64,
    /// Whether it was done in time.
    #[schema(minimum = 0, maximum = 1)]
    pub timeliness: f64,
}

impl Dhi {
    /// compliance .4, efficiency .3, quality .2, timeliness .1; to four places.
    pub fn score(&self) -> f64 {
        let Self { compliance, efficiency, quality, timeliness } = self;
        let score = 0.4 * compliance + 0.3 * efficiency + 0.2 * quality + 0.1 * timeliness;
        (score * 1e4).round() / 1e4
    }
}

/// What somebody says of a task that was done.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewReview {
    /// The task.
    pub task_id: TaskId,
    /// Who says so; the caller, unless it says otherwise. Only administrators speak for others.
    #[schema(min_length = 1, max_length = 100)]
    pub reviewer_id: Option<String>,
    /// What they say.
    pub status: ReviewStatus,
    /// In their words.
    #[schema(min_length = 1, max_length = 4000)]
    pub comments: Option<String>,
    /// How well it was done, part by part.
    pub dhi: Option<Dhi>,
    /// How well it was done, 0 to 1. With the parts, it is checked: compliance .4, efficiency .3, quality .2,
    /// timeliness .1.
    #[schema(minimum = 0, maximum = 1)]
    pub dhi_score: Option<f64>,
}

impl NewReview {
    /// How well it was done, if that is said.
    ///
    /// # Errors
    /// When the score is not that of the parts; then it is what the parts make.
    pub fn score(&self) -> Result<Option<f64>, f64> {
        match (self.dhi.map(|dhi| dhi.score()), self.dhi_score) {
            (Some(made), Some(said)) if (made - said).abs() > 5e-4 => Err(made),
            (made, said) => Ok(made.or(said)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn review(dhi: Option<[f64; 4]>, dhi_score: Option<f64>) -> NewReview {
        let dhi = dhi.map(|[compliance, efficiency, quality, timeliness]| Dhi {
            compliance,
            efficiency,
            quality,
            timeliness,
        });
        let task_id = TaskId(uuid::Uuid::nil());
        NewReview {
            task_id,
            reviewer_id: None,
            status: ReviewStatus::Approved,
            comments: None,
            dhi,
            dhi_score,
        }
    }

    #[test]
    fn a_score_is_made_of_its_parts() {
        assert_eq!(review(Some([1.0, 0.5, 0.5, 0.0]), None).score(), Ok(Some(0.65)));
        assert_eq!(review(Some([1.0; 4]), Some(1.0)).score(), Ok(Some(1.0)));
        assert_eq!(review(Some([1.0, 0.5, 0.5, 0.0]), Some(0.9)).score(), Err(0.65));
        assert_eq!(review(None, Some(0.9)).score(), Ok(Some(0.9)));
        assert_eq!(review(None, None).score(), Ok(None));
    }
}
