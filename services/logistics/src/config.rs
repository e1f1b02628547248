use clap::Args;

/// What logistics reads from its environment beyond what every service does: nothing yet.
#[derive(Args, Clone, Debug, Default)]
pub struct Config {}
