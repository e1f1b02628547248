//! Row structs and every query.

pub mod agent;
pub mod live_event;
pub mod unified;
pub mod user;
