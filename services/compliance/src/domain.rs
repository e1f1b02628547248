//! What consent is, how an event is judged by policies, how a person is forgotten. No I/O.

pub mod backtest;
pub mod consent;
pub mod context;
pub mod digest;
pub mod duty;
pub mod erasure;
pub mod hold;
pub mod judged;
pub mod notice;
pub mod pack;
pub mod period;
pub mod policy;
pub mod purpose;
pub mod receipt;
pub mod regime;
pub mod rulebook;
pub mod standing;
mod values;
