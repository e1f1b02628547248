//! `bhiv verify`: whether what was kept is what it was, checked here and not by who kept it.

mod audit;
mod pack;

use clap::Subcommand;

use crate::Outcome;

pub use audit::{over_http, say};

/// `bhiv verify`
#[derive(Debug, Subcommand)]
pub enum Verify {
    /// Audit rows: an export, what the system answers, or the tables themselves, compared with signed checkpoints.
    Audit(audit::Audit),
    /// An evidence pack of compliance, without a server.
    Pack(pack::Pack),
}

impl Verify {
    pub async fn run(self) -> Outcome {
        match self {
            Self::Audit(audit) => audit.run().await,
            Self::Pack(pack) => pack.run(),
        }
    }
}
