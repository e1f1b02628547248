//! How decisions are made and learned from. No I/O.
//!
//! The walls: [`features`] and [`terms`] make vectors of facts and know nothing of learning; `bhiv_bandit` learns from
//! vectors and numbers, makes probabilities of predictions, and knows nothing of facts; [`policy`] puts them together.
//! None of them knows where it is kept.

pub mod analytics;
pub mod decision;
pub mod drift;
pub mod evaluation;
pub mod explorer;
pub mod facts;
pub mod features;
pub mod ids;
pub mod model;
pub mod parts;
pub mod policy;
pub mod policy_input;
pub mod prior;
pub mod reasoning;
pub mod reward;
pub mod rule;
pub mod served;
pub mod settings;
pub mod terms;
pub mod uplift;
