//! What leads, opportunities and accounts are and may do. No I/O.

pub mod account;
pub mod ids;
pub mod lead;
pub mod opportunity;
