use clap::Args;

/// What logistics reads from its environment beyond what every service does.
#[derive(Args, Clone, Debug)]
pub struct Config {
    /// How often it is looked for deliveries that are late, in milliseconds.
    #[arg(long, env = "DELAY_CHECK_MS", default_value_t = 1000)]
    pub delay_check_ms: u64,
    /// How often it is looked for routes that are to be planned, in milliseconds; with 0 this replica plans none.
    #[arg(long, env = "PLAN_CHECK_MS", default_value_t = 500)]
    pub plan_check_ms: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self { delay_check_ms: 1000, plan_check_ms: 500 }
    }
}
