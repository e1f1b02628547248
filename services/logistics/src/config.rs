use clap::Args;

/// What logistics reads from its environment beyond what every service does.
#[derive(Args, Clone, Debug)]
pub struct Config {
    /// How often it is looked for deliveries that are late, in milliseconds.
    #[arg(long, env = "DELAY_CHECK_MS", default_value_t = 1000)]
    pub delay_check_ms: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self { delay_check_ms: 1000 }
    }
}
