//! What each refusal is to an HTTP client.

use bhiv_web::{Code, Problem};

use crate::domain::period::InvalidPeriod;

/// Compliance answers with no problem that other services do not know.
pub const ALL: &[Code] = &[];

impl From<InvalidPeriod> for Problem {
    fn from(error: InvalidPeriod) -> Self {
        match error {
            InvalidPeriod::Backwards | InvalidPeriod::TooLong => {
                Self::invalid(Vec::new()).at("?end_date", error.to_string())
            }
        }
    }
}
