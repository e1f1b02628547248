//! What each refusal is to an HTTP client.

use bhiv_web::{Problem, codes};

use crate::commands::cancel_erasure::CancelErasureError;
use crate::commands::hold::HoldError;
use crate::commands::request_erasure::RequestErasureError;
use crate::domain::period::InvalidPeriod;
use crate::office::Unsigned;

codes! {
    LEGAL_HOLD = "legal_hold", 409, "A legal hold keeps the person's data";
    ERASURE_UNDER_WAY = "erasure_under_way", 409, "An erasure of that person is under way";
    ERASURE_NOT_COMPLETED = "erasure_not_completed", 409, "Some modules have not erased the person yet";
    HOLD_RELEASED = "hold_released", 409, "The hold was released already";
    SIGNING_KEY_MISSING = "signing_key_missing", 503, "The service has no key to sign with";
}

impl From<InvalidPeriod> for Problem {
    fn from(error: InvalidPeriod) -> Self {
        match error {
            InvalidPeriod::Backwards | InvalidPeriod::TooLong => {
                Self::invalid(Vec::new()).at("?end_date", error.to_string())
            }
        }
    }
}

impl From<Unsigned> for Problem {
    fn from(error: Unsigned) -> Self {
        match error {
            Unsigned::NoKey => Self::new(SIGNING_KEY_MISSING, error.to_string()),
            Unsigned::Unwritable(_) => Self::internal(&error),
        }
    }
}

impl From<RequestErasureError> for Problem {
    fn from(error: RequestErasureError) -> Self {
        let says = error.to_string();
        match error {
            RequestErasureError::Held(hold) => {
                Self::new(LEGAL_HOLD, says).with("hold_id", hold.id.to_string())
            }
            RequestErasureError::UnderWay(id) => {
                Self::new(ERASURE_UNDER_WAY, says).with("erasure_id", id.to_string())
            }
        }
    }
}

impl From<CancelErasureError> for Problem {
    fn from(error: CancelErasureError) -> Self {
        match error {
            CancelErasureError::NotFound(id) => Self::not_found(format!("erasure/{id}")),
            CancelErasureError::Status(refusal) => refusal.into(),
        }
    }
}

impl From<HoldError> for Problem {
    fn from(error: HoldError) -> Self {
        let says = error.to_string();
        match error {
            HoldError::NotFound(id) => Self::not_found(format!("hold/{id}")),
            HoldError::TooLate(id) => Self::new(ERASURE_UNDER_WAY, says).with("erasure_id", id.to_string()),
            HoldError::Released => Self::new(HOLD_RELEASED, says),
        }
    }
}
