//! What rl can be asked to do. Each command acts inside the transaction that it is given: load, decide,
//! store, record.

pub mod decide;
pub mod learn;
pub mod make_decision;
pub mod record_outcome;
pub mod reward_newest;
pub mod score_event;
pub mod score_lead;
