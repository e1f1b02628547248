//! What rl can be asked to do. Each command acts inside the transaction that it is given: load, decide,
//! store, record.

pub mod change_mode;
pub mod change_policy;
pub mod close_decisions;
pub mod create_policy;
pub mod decide;
pub mod erase_person;
pub mod forget_persons;
pub mod learn_outcomes;
pub mod lift_verdict;
pub mod make_decision;
pub mod note_consent;
pub mod note_verdict;
pub mod record_outcome;
pub mod reward_newest;
pub mod score_event;
pub mod score_lead;
pub mod settle;
pub mod step;
