//! How decisions are made and learned from. No I/O.
//!
//! The walls: [`features`] and [`terms`] make vectors of facts and know nothing of learning; `bhiv_bandit` learns from
//! vectors and numbers, makes probabilities of predictions, and knows nothing of facts; [`policy`] puts them together.
//! None of them knows where it is kept.

pub mod analytics;
pub mod decision;
pub mod facts;
pub mod features;
pub mod ids;
pub mod policy;
pub mod prior;
pub mod reasoning;
pub mod reward;
pub mod terms;
