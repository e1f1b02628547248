//! What each refusal of a command is to an HTTP client.

use bhiv_web::{Problem, codes};
use serde_json::to_value;

use crate::commands::change_note::ChangeNoteError;
use crate::commands::convert_lead::ConvertLeadError;
use crate::commands::create_account::CreateAccountError;
use crate::commands::create_contact::CreateContactError;
use crate::commands::create_lead::LooksLikeOthers;
use crate::commands::create_opportunity::CreateOpportunityError;
use crate::commands::delete_note::DeleteNoteError;
use crate::commands::dismiss_duplicate::DismissDuplicateError;
use crate::commands::merge_lead::MergeLeadError;
use crate::commands::move_opportunity::MoveOpportunityError;
use crate::commands::note_activity::TakeNoteError;
use crate::commands::patch_account::PatchAccountError;
use crate::commands::patch_contact::PatchContactError;
use crate::commands::patch_lead::PatchLeadError;
use crate::commands::patch_opportunity::PatchOpportunityError;
use crate::commands::unmerge_lead::UnmergeLeadError;

codes! {
    CUSTOMER_ID_TAKEN = "customer_id_taken", 409, "Another account has this customer id";
    CLOSED_STAGE = "closed_stage", 422, "An opportunity is not opened won or lost";
    PAST_DATE = "past_date", 422, "It lies in the past";
    REASON_WITHOUT_LOSS = "reason_without_loss", 422, "Only what is lost has a reason";
    ACCOUNT_CYCLE = "account_cycle", 409, "An account would belong to itself";
    ACCOUNTS_TOO_DEEP = "accounts_too_deep", 409, "Accounts belong to each other too deep";
    POSSIBLE_DUPLICATES = "possible_duplicates", 409, "It looks like what is there";
    NOT_QUALIFIED = "not_qualified", 409, "Too little is known of the lead";
    CONVERTED_BY_CONVERSION = "converted_by_conversion", 409, "A lead is converted by its conversion";
    LEAD_MERGED = "lead_merged", 409, "The lead was merged into another one";
    LEAD_NOT_MERGED = "lead_not_merged", 409, "The lead was not merged into another one";
    MERGE_REFUSED = "merge_refused", 409, "These leads cannot be merged so";
    ROW_TOO_LARGE = "row_too_large", 413, "A row has at most 64 KiB and 100 fields";
    NO_NOTE = "no_note", 409, "Only what people note can be changed";
    ANOTHERS_NOTE = "anothers_note", 409, "Somebody else noted it";
}

impl From<LooksLikeOthers> for Problem {
    fn from(error: LooksLikeOthers) -> Self {
        let duplicates = to_value(&error.0).unwrap_or_default();
        Self::new(POSSIBLE_DUPLICATES, error.to_string()).with("duplicates", duplicates)
    }
}

impl From<PatchLeadError> for Problem {
    fn from(error: PatchLeadError) -> Self {
        let says = error.to_string();
        match error {
            PatchLeadError::NotFound(id) => Self::not_found(format!("lead/{id}")),
            PatchLeadError::Status(refusal) => refusal.into(),
            PatchLeadError::Conversion => {
                Self::new(CONVERTED_BY_CONVERSION, says).with("use", "POST /crm/leads/{id}/convert")
            }
            PatchLeadError::Unqualified(lacks) => Self::new(NOT_QUALIFIED, says).with("missing", lacks),
            PatchLeadError::Merged(into) => {
                Self::new(LEAD_MERGED, says).with("merged_into", into.to_string())
            }
        }
    }
}

impl From<ConvertLeadError> for Problem {
    fn from(error: ConvertLeadError) -> Self {
        let says = error.to_string();
        match error {
            ConvertLeadError::NotFound(id) => Self::not_found(format!("lead/{id}")),
            ConvertLeadError::Status(refusal) => refusal.into(),
            ConvertLeadError::NoAccount(id) => {
                Self::unknown_reference("/account_id", format!("account/{id}"))
            }
            ConvertLeadError::NoContact(id) => {
                Self::unknown_reference("/contact_id", format!("contact/{id}"))
            }
            ConvertLeadError::Duplicates(alike) => {
                Self::new(POSSIBLE_DUPLICATES, says).with("duplicates", to_value(alike).unwrap_or_default())
            }
            ConvertLeadError::Account(refusal) => refusal.into(),
            ConvertLeadError::Contact(refusal) => refusal.into(),
            ConvertLeadError::Opportunity(refusal) => refusal.within("/opportunity"),
        }
    }
}

impl From<MergeLeadError> for Problem {
    fn from(error: MergeLeadError) -> Self {
        let says = error.to_string();
        match error {
            MergeLeadError::NotFound(id) => Self::not_found(format!("lead/{id}")),
            MergeLeadError::NoOther(id) => Self::unknown_reference("/from", format!("lead/{id}")),
            MergeLeadError::Merged(_, into) => {
                Self::new(LEAD_MERGED, says).with("merged_into", into.to_string())
            }
            MergeLeadError::Itself | MergeLeadError::Converted(_) => Self::new(MERGE_REFUSED, says),
        }
    }
}

impl From<UnmergeLeadError> for Problem {
    fn from(error: UnmergeLeadError) -> Self {
        let says = error.to_string();
        match error {
            UnmergeLeadError::NotFound(id) => Self::not_found(format!("lead/{id}")),
            UnmergeLeadError::NotMerged(_) => Self::new(LEAD_NOT_MERGED, says),
            UnmergeLeadError::SurvivorMerged(_) => Self::new(MERGE_REFUSED, says),
        }
    }
}

impl From<DismissDuplicateError> for Problem {
    fn from(error: DismissDuplicateError) -> Self {
        match error {
            DismissDuplicateError::NotFound(id) => Self::not_found(format!("lead/{id}")),
            DismissDuplicateError::NoPair(one, other) => {
                Self::not_found(format!("open likeness of lead/{one} and lead/{other}"))
            }
        }
    }
}

impl CreateOpportunityError {
    /// The problem, in a body that has the opportunity's fields at this pointer.
    fn within(self, at: &str) -> Problem {
        let says = self.to_string();
        match self {
            Self::NoLead(id) => Problem::unknown_reference(&format!("{at}/lead_id"), format!("lead/{id}")),
            Self::NoAccount(id) => {
                Problem::unknown_reference(&format!("{at}/account_id"), format!("account/{id}"))
            }
            Self::NoContact(id) => {
                Problem::unknown_reference(&format!("{at}/contact_id"), format!("contact/{id}"))
            }
            Self::Closed(_) => {
                Problem::new(CLOSED_STAGE, says).at(format!("{at}/stage"), "must be an open stage")
            }
            Self::Past(_, today) => past(says, &format!("{at}/expected_close_date"), today),
        }
    }
}

fn past(says: String, pointer: &str, today: chrono::NaiveDate) -> Problem {
    Problem::new(PAST_DATE, says).at(pointer, format!("must be {today} or later"))
}

impl From<CreateOpportunityError> for Problem {
    fn from(error: CreateOpportunityError) -> Self {
        error.within("")
    }
}

impl From<PatchOpportunityError> for Problem {
    fn from(error: PatchOpportunityError) -> Self {
        let says = error.to_string();
        match error {
            PatchOpportunityError::NotFound(id) => Self::not_found(format!("opportunity/{id}")),
            PatchOpportunityError::NoAccount(id) => {
                Self::unknown_reference("/account_id", format!("account/{id}"))
            }
            PatchOpportunityError::NoContact(id) => {
                Self::unknown_reference("/contact_id", format!("contact/{id}"))
            }
            PatchOpportunityError::Past(_, today) => past(says, "/expected_close_date", today),
        }
    }
}

impl From<MoveOpportunityError> for Problem {
    fn from(error: MoveOpportunityError) -> Self {
        let says = error.to_string();
        match error {
            MoveOpportunityError::NotFound(id) => Self::not_found(format!("opportunity/{id}")),
            MoveOpportunityError::Stage(refusal) => refusal.into(),
            MoveOpportunityError::NotLost => {
                Self::new(REASON_WITHOUT_LOSS, says).at("/reason", "is only for lost")
            }
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
        let says = error.to_string();
        match error {
            PatchAccountError::NotFound(id) => Self::not_found(format!("account/{id}")),
            PatchAccountError::NoParent(id) => Self::unknown_reference("/parent_id", format!("account/{id}")),
            PatchAccountError::OwnParent(_) => Self::new(ACCOUNT_CYCLE, says),
            PatchAccountError::TooDeep(_) => Self::new(ACCOUNTS_TOO_DEEP, says),
            PatchAccountError::CustomerIdTaken => Self::new(CUSTOMER_ID_TAKEN, says),
        }
    }
}

impl From<CreateContactError> for Problem {
    fn from(error: CreateContactError) -> Self {
        match error {
            CreateContactError::NoAccount(id) => {
                Self::unknown_reference("/account_id", format!("account/{id}"))
            }
        }
    }
}

impl From<PatchContactError> for Problem {
    fn from(error: PatchContactError) -> Self {
        match error {
            PatchContactError::NotFound(id) => Self::not_found(format!("contact/{id}")),
            PatchContactError::NoAccount(id) => {
                Self::unknown_reference("/account_id", format!("account/{id}"))
            }
        }
    }
}

impl From<TakeNoteError> for Problem {
    fn from(error: TakeNoteError) -> Self {
        match error {
            TakeNoteError::NoSubject(subject) => Self::unknown_reference("/entity", subject),
        }
    }
}

impl From<ChangeNoteError> for Problem {
    fn from(error: ChangeNoteError) -> Self {
        match error {
            ChangeNoteError::NotFound(id) => Self::not_found(format!("activity/{id}")),
            ChangeNoteError::Told => Self::new(NO_NOTE, error.to_string()),
        }
    }
}

impl From<DeleteNoteError> for Problem {
    fn from(error: DeleteNoteError) -> Self {
        match error {
            DeleteNoteError::NotFound(id) => Self::not_found(format!("activity/{id}")),
            DeleteNoteError::Told => Self::new(NO_NOTE, error.to_string()),
            DeleteNoteError::Anothers(_) => Self::new(ANOTHERS_NOTE, error.to_string()),
        }
    }
}
