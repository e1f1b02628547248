//! What logging does, inside the transaction that it is given.

pub mod keep_events;
