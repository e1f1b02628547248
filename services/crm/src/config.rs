use clap::Args;

/// What crm reads from its environment beyond what every service does.
#[derive(Args, Clone, Debug)]
pub struct Config {
    /// How often it is looked for imports to go on with, in milliseconds.
    #[arg(long, env = "IMPORT_CHECK_MS", default_value_t = 1000)]
    pub import_check_ms: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self { import_check_ms: 1000 }
    }
}
