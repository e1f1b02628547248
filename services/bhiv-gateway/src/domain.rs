//! What the gateway decides, without I/O.

pub mod access;
pub mod address;
pub mod cache;
pub mod consent;
pub mod openapi;
pub mod path;
pub mod quota;
pub mod unified;
pub mod user;
