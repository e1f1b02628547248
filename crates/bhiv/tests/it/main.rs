//! The whole system: seven processes on real servers, and the rules that hold between them.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod alerts;
mod guide;
mod operator;
mod stack;
mod system;
mod workspace;
