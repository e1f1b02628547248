use clap::Args;

/// What rl reads from its environment beyond what every service does.
#[derive(Args, Clone, Debug)]
pub struct Config {
    /// How often outcomes are learned from, and how often a replica looks whether policies have changed; in
    /// milliseconds.
    #[arg(long, env = "LEARN_EVERY_MS", default_value_t = 200)]
    pub learn_every_ms: u64,
    /// How often it is looked for decisions whose outcome is waited for no longer; in milliseconds.
    #[arg(long, env = "CLOSE_EVERY_MS", default_value_t = 1000)]
    pub close_every_ms: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self { learn_every_ms: 200, close_every_ms: 1000 }
    }
}
