//! What each refusal is to an HTTP client.

use bhiv_web::{Problem, codes};

use crate::commands::cancel_erasure::CancelErasureError;
use crate::commands::create_notice::CreateNoticeError;
use crate::commands::hold::HoldError;
use crate::commands::make_pack::MakePackError;
use crate::commands::open_duty::OpenDutyError;
use crate::commands::record_consent::ConsentError;
use crate::commands::request_erasure::RequestErasureError;
use crate::commands::work_on_duty::WorkOnDutyError;
use crate::commands::write_policy::PolicyError;
use crate::commands::write_purpose::PurposeError;
use crate::domain::period::InvalidPeriod;
use crate::domain::policy::draft::InvalidPolicy;
use crate::office::Unsigned;

codes! {
    LEGAL_HOLD = "legal_hold", 409, "A legal hold keeps the person's data";
    ERASURE_UNDER_WAY = "erasure_under_way", 409, "An erasure of that person is under way";
    ERASURE_NOT_COMPLETED = "erasure_not_completed", 409, "Some modules have not erased the person yet";
    HOLD_RELEASED = "hold_released", 409, "The hold was released already";
    UNKNOWN_PURPOSE = "unknown_purpose", 422, "There is no such purpose";
    PURPOSE_RETIRED = "purpose_retired", 409, "The purpose cannot be agreed to any more";
    PURPOSE_EXISTS = "purpose_exists", 409, "There is such a purpose already";
    UNKNOWN_NOTICE = "unknown_notice", 422, "There is no such notice that can be agreed to now";
    NOTICE_EXISTS = "notice_exists", 409, "The notice is there already, and cannot be changed";
    INVALID_POLICY = "invalid_policy", 422, "The policy cannot be used";
    POLICY_EXISTS = "policy_exists", 409, "There is such a policy already";
    DUTY_CLOSED = "duty_closed", 409, "What was done or refused stays as it is";
    NO_MORE_TIME = "no_more_time", 409, "The duty gets no more time";
    PACK_TOO_LARGE = "pack_too_large", 409, "The evidence of that period is too much for one pack";
    PACK_GONE = "pack_gone", 409, "The files of the pack are not kept any more";
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

impl From<ConsentError> for Problem {
    fn from(error: ConsentError) -> Self {
        let says = error.to_string();
        match error {
            ConsentError::UnknownPurpose(_) => {
                Self::new(UNKNOWN_PURPOSE, says).at("/purpose", "is not registered")
            }
            ConsentError::RetiredPurpose(_) => Self::new(PURPOSE_RETIRED, says),
            ConsentError::UnknownNotice { .. } => Self::new(UNKNOWN_NOTICE, says)
                .at("/notice_version", "is no notice of that purpose, or not yet"),
            ConsentError::Over => Self::invalid(Vec::new()).at("/expires_at", "must lie in the future"),
        }
    }
}

impl From<PurposeError> for Problem {
    fn from(error: PurposeError) -> Self {
        match error {
            PurposeError::NotFound(id) => Self::not_found(format!("purpose/{id}")),
            PurposeError::Exists(_) => Self::new(PURPOSE_EXISTS, error.to_string()),
        }
    }
}

impl From<CreateNoticeError> for Problem {
    fn from(error: CreateNoticeError) -> Self {
        let says = error.to_string();
        match error {
            CreateNoticeError::NoPurpose(_) => {
                Self::new(UNKNOWN_PURPOSE, says).at("/purpose", "is not registered")
            }
            CreateNoticeError::Exists => Self::new(NOTICE_EXISTS, says).at("/version", "is there already"),
        }
    }
}

impl From<InvalidPolicy> for Problem {
    fn from(InvalidPolicy(faults): InvalidPolicy) -> Self {
        let problem = Self::from(INVALID_POLICY);
        let problem = faults.iter().fold(problem, |problem, fault| {
            problem.at("/cedar", format!("line {}, column {}: {}", fault.line, fault.column, fault.message))
        });
        problem.with("faults", serde_json::to_value(faults).unwrap_or_default())
    }
}

impl From<PolicyError> for Problem {
    fn from(error: PolicyError) -> Self {
        match error {
            PolicyError::NotFound(id) => Self::not_found(format!("policy/{id}")),
            PolicyError::Exists(_) => Self::new(POLICY_EXISTS, error.to_string()),
            PolicyError::Invalid(invalid) => invalid.into(),
        }
    }
}

impl From<OpenDutyError> for Problem {
    fn from(OpenDutyError::Future(field): OpenDutyError) -> Self {
        Self::invalid(Vec::new()).at(field, "lies in the future")
    }
}

impl From<WorkOnDutyError> for Problem {
    fn from(error: WorkOnDutyError) -> Self {
        let says = error.to_string();
        match error {
            WorkOnDutyError::NotFound => Self::not_found("such duty"),
            WorkOnDutyError::Status(refusal) => refusal.into(),
            WorkOnDutyError::Unsaid => Self::invalid(Vec::new()).at("/note", says),
            WorkOnDutyError::Closed(status) => {
                Self::new(DUTY_CLOSED, says).with("duty_status", status.to_string())
            }
            WorkOnDutyError::NoMoreTime(_) => Self::new(NO_MORE_TIME, says),
        }
    }
}

impl From<MakePackError> for Problem {
    fn from(error: MakePackError) -> Self {
        let says = error.to_string();
        match error {
            MakePackError::Period(InvalidPeriod::Backwards | InvalidPeriod::TooLong) => {
                Self::invalid(Vec::new()).at("/end_date", says)
            }
            MakePackError::Unsigned(unsigned) => unsigned.into(),
            MakePackError::TooLarge(_) => Self::new(PACK_TOO_LARGE, says),
            MakePackError::Unwritable(_) => Self::internal(&error),
        }
    }
}
