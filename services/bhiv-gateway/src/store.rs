//! Row structs and every query.

pub mod consent;
pub mod live_event;
pub mod unified;
pub mod user;
