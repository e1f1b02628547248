//! Row structs and every query.

pub mod api_key;
pub mod consent;
pub mod live_event;
pub mod unified;
pub mod user;
