//! What the gateway decides, without I/O.

pub mod access;
pub mod address;
pub mod callback;
pub mod custom;
pub mod event_type;
pub mod openapi;
pub mod quota;
pub mod subprotocol;
pub mod unified;
pub mod user;
pub mod visible;
pub mod webhook;
