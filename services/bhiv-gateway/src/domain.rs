//! What the gateway decides, without I/O.

pub mod access;
pub mod openapi;
pub mod unified;
pub mod user;
