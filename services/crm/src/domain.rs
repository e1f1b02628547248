//! What leads, opportunities and accounts are and may do. No I/O.

pub mod account;
pub mod activity;
pub mod contact;
pub mod conversion;
pub mod duplicate;
pub mod ids;
pub mod import;
pub mod lead;
pub mod opportunity;
pub mod owner;
