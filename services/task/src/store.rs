//! Row structs and every query. A row is also what the API shows of it.

pub mod approval;
mod columns;
pub mod erasure;
pub mod feedback;
pub mod heard;
pub mod recurring;
pub mod review;
pub mod run;
pub mod service_level;
pub mod task;
pub mod transition;
pub mod workflow;
