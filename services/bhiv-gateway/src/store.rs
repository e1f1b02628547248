//! Row structs and every query.

pub mod agent;
pub mod api_key;
pub mod consent;
pub mod erasure;
pub mod live_event;
pub mod subscription;
pub mod unified;
pub mod user;
pub mod webhook;
