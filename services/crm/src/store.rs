//! Row structs and every query. A row is also what the API shows of it.

pub mod account;
pub mod activity;
pub mod lead;
pub mod opportunity;

use crate::domain::account::{AccountStatus, AccountType};
use crate::domain::ids::{AccountId, LeadId, OpportunityId};
use crate::domain::lead::LeadStatus;
use crate::domain::opportunity::Stage;

bhiv_types::uuid_columns!(LeadId, OpportunityId, AccountId);
bhiv_types::text_columns!(LeadStatus, Stage, AccountType, AccountStatus);
