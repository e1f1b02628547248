//! What each refusal of a command is to an HTTP client.

use bhiv_web::{Problem, codes};

use crate::commands::create_account::CreateAccountError;
use crate::commands::create_opportunity::CreateOpportunityError;
use crate::commands::move_opportunity::MoveOpportunityError;
use crate::commands::patch_account::PatchAccountError;
use crate::commands::patch_lead::PatchLeadError;
use crate::commands::patch_opportunity::PatchOpportunityError;

codes! {
    CUSTOMER_ID_TAKEN = "customer_id_taken", 409, "Another account has this customer id";
    CLOSED_STAGE = "closed_stage", 422, "An opportunity is not opened won or lost";
}

impl From<PatchLeadError> for Problem {
    fn from(error: PatchLeadError) -> Self {
        match error {
            PatchLeadError::NotFound(id) => Self::not_found(format!("lead/{id}")),
            PatchLeadError::Status(refusal) => refusal.into(),
        }
    }
}

impl From<CreateOpportunityError> for Problem {
    fn from(error: CreateOpportunityError) -> Self {
        match error {
            CreateOpportunityError::NoLead(id) => Self::unknown_reference("/lead_id", format!("lead/{id}")),
            CreateOpportunityError::Closed(_) => {
                Self::new(CLOSED_STAGE, error.to_string()).at("/stage", "must be an open stage")
            }
        }
    }
}

impl From<PatchOpportunityError> for Problem {
    fn from(error: PatchOpportunityError) -> Self {
        match error {
            PatchOpportunityError::NotFound(id) => Self::not_found(format!("opportunity/{id}")),
        }
    }
}

impl From<MoveOpportunityError> for Problem {
    fn from(error: MoveOpportunityError) -> Self {
        match error {
            MoveOpportunityError::NotFound(id) => Self::not_found(format!("opportunity/{id}")),
            MoveOpportunityError::Stage(refusal) => refusal.into(),
        }
    }
}

impl From<CreateAccountError> for Problem {
    fn from(error: CreateAccountError) -> Self {
        match error {
            CreateAccountError::NoParent(id) => {
                Self::unknown_reference("/parent_id", format!("account/{id}"))
            }
            CreateAccountError::CustomerIdTaken => Self::new(CUSTOMER_ID_TAKEN, error.to_string()),
        }
    }
}

impl From<PatchAccountError> for Problem {
    fn from(error: PatchAccountError) -> Self {
        match error {
            PatchAccountError::NotFound(id) => Self::not_found(format!("account/{id}")),
            PatchAccountError::NoParent(id) => Self::unknown_reference("/parent_id", format!("account/{id}")),
            PatchAccountError::OwnParent => Self::invalid(Vec::new()).at("/parent_id", error.to_string()),
            PatchAccountError::CustomerIdTaken => Self::new(CUSTOMER_ID_TAKEN, error.to_string()),
        }
    }
}
