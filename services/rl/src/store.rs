//! Row structs and every query.

pub mod decision;
mod json;
pub mod policy;
pub mod tally;

pub use json::Json;

use crate::domain::ids::DecisionId;

bhiv_types::uuid_columns!(DecisionId);
