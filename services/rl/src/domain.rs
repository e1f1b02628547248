//! How decisions are made and learned from. No I/O.
//!
//! The walls: [`features`] and [`terms`] make vectors of facts and know nothing of learning; [`ridge`]
//! learns from vectors and numbers and knows nothing of actions; [`exploration`] makes probabilities of
//! predictions and knows nothing of what predicted them; [`policy`] puts them together. None of them knows
//! where it is kept.

pub mod analytics;
pub mod decision;
pub mod exploration;
pub mod facts;
pub mod features;
pub mod ids;
pub mod policy;
pub mod prior;
pub mod reasoning;
pub mod reward;
pub mod ridge;
pub mod sparse;
pub mod terms;
