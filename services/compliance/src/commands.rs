//! What compliance can be asked to do. Each command acts inside the transaction that it is given: load,
//! decide, store, record.

pub mod check_event;
pub mod grant_consent;
mod record_consent;
pub mod revoke_consent;
