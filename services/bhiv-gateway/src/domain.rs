//! What the gateway decides, without I/O.

pub mod access;
pub mod address;
pub mod agent;
pub mod api_key;
pub mod bodies;
pub mod breaker;
pub mod cache;
pub mod consent;
pub mod custom;
pub mod event_type;
pub mod lockout;
pub mod openapi;
pub mod origin;
pub mod outside;
pub mod path;
pub mod quota;
pub mod retry;
pub mod subprotocol;
pub mod target;
pub mod unified;
pub mod user;
pub mod visible;
pub mod webhook;
