use clap::Args;

/// What logging reads from its environment beyond what every service does: nothing yet.
#[derive(Args, Clone, Debug, Default)]
pub struct Config {}
