use clap::Args;

/// What rl reads from its environment beyond what every service does: nothing yet.
#[derive(Args, Clone, Debug, Default)]
pub struct Config {}
