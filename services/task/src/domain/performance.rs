use serde::Serialize;
use utoipa::ToSchema;

/// What somebody did in a period, counted from tasks and reviews.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Work {
    /// Tasks that they completed in it.
    pub completed: i64,
    /// Tasks that were theirs before its end and are still to be done.
    pub open: i64,
    /// Of the completed, those that had a date.
    pub dated: i64,
    /// Of those, the ones that were done by then.
    pub in_time: i64,
    /// Of the completed, those that were reviewed.
    pub reviewed: i64,
    /// Of those, the ones whose last review approved them.
    pub approved: i64,
}

/// How well somebody works, each 0 to 1; null when there is nothing to tell it from.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, ToSchema)]
pub struct Performance {
    /// Completed tasks, of those and the open ones.
    pub productivity: Option<f64>,
    /// Approved tasks, of those that were reviewed.
    pub quality: Option<f64>,
    /// Tasks done by their date, of those that had one.
    pub timeliness: Option<f64>,
    /// productivity .4, quality .4, timeliness .2: the weighted mean of those that are known.
    pub overall: Option<f64>,
}

impl Work {
    /// How well it was done.
    pub fn performance(&self) -> Performance {
        let productivity = share(self.completed, self.completed + self.open);
        let quality = share(self.approved, self.reviewed);
        let timeliness = share(self.in_time, self.dated);
        let parts = [(productivity, 0.4), (quality, 0.4), (timeliness, 0.2)];
        let known = parts.iter().filter_map(|(part, weight)| Some((part.as_ref()?, weight)));
        let (sum, weights) =
            known.fold((0.0, 0.0), |(sum, weights), (part, weight)| (sum + part * weight, weights + weight));
        let overall = (weights > 0.0).then(|| sum / weights);
        Performance { productivity, quality, timeliness, overall }
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of tasks are far below 2^53")]
fn share(part: i64, whole: i64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_known_does_not_count() {
        assert_eq!(Work::default().performance().overall, None);
        let work = Work { completed: 3, open: 1, ..Work::default() };
        assert!((work.performance().overall.unwrap() - 0.75).abs() < 1e-12, "productivity alone");
        let work = Work { dated: 2, in_time: 1, reviewed: 4, approved: 4, ..work };
        let overall = work.performance().overall.unwrap();
        assert!((overall - (0.75 * 0.4 + 1.0 * 0.4 + 0.5 * 0.2)).abs() < 1e-12);
    }
}
