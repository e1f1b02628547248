//! What consent is, and how an event is judged by policies. No I/O.

pub mod consent;
pub mod context;
pub mod period;
pub mod policy;
pub mod rulebook;
mod values;
