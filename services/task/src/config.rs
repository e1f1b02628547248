use bhiv_settings::Secret;
use clap::Args;

/// What task reads from its environment beyond what every service does.
#[derive(Args, Clone, Debug)]
pub struct Config {
    /// How often it is looked for what is due: tasks that have become overdue, runs that waited for their time, receivers
    /// that are to be told; in milliseconds.
    #[arg(long, env = "TIMER_CHECK_MS", default_value_t = 1000)]
    pub timer_check_ms: u64,
    /// How many days events are kept, for workflows to be tried on.
    #[arg(long, env = "KEEP_EVENTS_DAYS", default_value_t = 30)]
    pub keep_events_days: u16,
    /// What workflows tell others is signed with it: `whsec_` and 24 to 64 bytes in Base64. Not signed without one.
    #[arg(long, env = "NOTIFY_SECRET", hide_env_values = true)]
    pub notify_secret: Option<Secret>,
    /// Receivers that are told at once, in each replica.
    #[arg(long, env = "NOTIFY_CONCURRENCY", default_value_t = 8)]
    pub notify_concurrency: usize,
    /// How receivers are told.
    #[command(flatten)]
    pub sending: bhiv_webhook::Settings,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            timer_check_ms: 1000,
            keep_events_days: 30,
            notify_secret: None,
            notify_concurrency: 8,
            sending: bhiv_webhook::Settings::default(),
        }
    }
}
