use clap::Args;

/// What task reads from its environment beyond what every service does.
#[derive(Args, Clone, Debug)]
pub struct Config {
    /// How often it is looked for tasks that have become overdue, in milliseconds.
    #[arg(long, env = "OVERDUE_CHECK_MS", default_value_t = 1000)]
    pub overdue_check_ms: u64,
    /// How many days events are kept, for workflows to be tried on.
    #[arg(long, env = "KEEP_EVENTS_DAYS", default_value_t = 30)]
    pub keep_events_days: u16,
}

impl Default for Config {
    fn default() -> Self {
        Self { overdue_check_ms: 1000, keep_events_days: 30 }
    }
}
