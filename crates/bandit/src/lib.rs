//! Contextual bandits: which action to choose, learned from what came of earlier choices. No I/O.
//!
//! Data goes one way: [`scale`] brings features to one scale, [`vector`] is what a learner sees of them, [`learner`]
//! predicts what each action earns and how well that is known, [`exploration`] makes probabilities of predictions,
//! and somebody draws. What came of it goes back to the [`learner`]. [`evaluation`] judges another policy by what
//! this one did, [`sequence`] and [`uplift`] say how sure that is at any time, [`drift`] whether the world has changed.
//!
//! Whatever is learned can be forgotten: a learner is a sum over its examples, kept in whole numbers, so that taking
//! an example away leaves exactly what had been there without it, bit for bit.

pub mod drift;
pub mod evaluation;
pub mod exploration;
pub mod learner;
mod linear;
mod ridge;
pub mod scale;
pub mod sequence;
mod sums;
pub mod uplift;
pub mod vector;

pub use exploration::{Exploration, draw};
pub use learner::{Learner, Prediction};
pub use scale::Scaler;
pub use uplift::Uplift;
pub use vector::Vector;
