//! What is kept of an event, and how the entries of a story hang together. No I/O.

pub mod ecs;
pub mod facts;
pub mod ids;
pub mod kind;
pub mod notary;
pub mod personal;
pub mod query;
pub mod source;
pub mod storable;
pub mod story;
pub mod vault;
pub mod words;
