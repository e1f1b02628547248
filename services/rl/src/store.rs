//! Row structs and every query.

pub mod consent;
pub mod decision;
mod json;
pub mod policy;
pub mod snapshot;
pub mod tally;
pub mod verdict;

pub use json::Json;

use crate::domain::ids::DecisionId;

bhiv_types::uuid_columns!(DecisionId);
