//! What logging does, inside the transaction that it is given.

pub mod erase_person;
pub mod keep_events;
pub mod keep_for;
pub mod keep_months;
pub mod number_audit;
pub mod save_search;
pub mod seal;
pub mod ship;
