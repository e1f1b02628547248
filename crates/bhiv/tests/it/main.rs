//! The whole system: seven processes on real servers, and the rules that hold between them.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test fails by panicking")]

mod guide;
mod operator;
mod seen;
mod sink;
mod stack;
mod system;
mod workspace;
