//! What the gateway decides, without I/O.

pub mod access;
pub mod address;
pub mod agent;
pub mod openapi;
pub mod quota;
pub mod unified;
pub mod user;
