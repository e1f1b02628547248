use std::path::PathBuf;

use bhiv_settings::Secret;
use clap::Args;

/// What logging reads from its environment beyond what every service does.
#[derive(Args, Clone, Debug)]
pub struct Config {
    /// Private key that checkpoints of the audit tree are signed with: Ed25519 in PEM, as `bhiv keys` makes it. Without
    /// it rows are numbered all the same, and nothing is signed.
    #[arg(long, env = "LOGGING_SIGNING_KEY_FILE")]
    pub logging_signing_key_file: Option<PathBuf>,
    /// Master key that keys of persons are sealed with: 32 bytes in Base64, for example of `head -c 32 /dev/urandom |
    /// base64`. Without it what is personal is kept as it came, and cannot be erased before its month is dropped.
    #[arg(long, env = "LOGGING_MASTER_KEY_FILE")]
    pub logging_master_key_file: Option<PathBuf>,
    /// Name of this log, in its checkpoints and of its key: unlike that of any other log that the same people keep
    /// checkpoints of.
    #[arg(long, env = "AUDIT_ORIGIN", default_value = "bhiv/audit")]
    pub audit_origin: String,
    /// Elasticsearch, which entries are shipped to in the words of ECS, without what is personal. Off without it.
    #[arg(long, env = "ELASTICSEARCH_URL")]
    pub elasticsearch_url: Option<String>,
    /// API key for it.
    #[arg(long, env = "ELASTICSEARCH_API_KEY", hide_env_values = true)]
    pub elasticsearch_api_key: Option<Secret>,
    /// What its indices begin with; there is one a month.
    #[arg(long, env = "ELASTICSEARCH_INDEX", default_value = "bhiv-logs")]
    pub elasticsearch_index: String,
    /// How often it is looked for entries to be shipped, in milliseconds.
    #[arg(long, env = "SHIP_MS", default_value_t = 1000)]
    pub ship_ms: u64,
    /// How often audit rows are numbered, in milliseconds.
    #[arg(long, env = "AUDIT_NUMBER_MS", default_value_t = 200)]
    pub audit_number_ms: u64,
    /// Time between two checkpoints while there are new rows, in milliseconds.
    #[arg(long, env = "AUDIT_CHECKPOINT_MS", default_value_t = 5000)]
    pub audit_checkpoint_ms: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            logging_signing_key_file: None,
            logging_master_key_file: None,
            audit_origin: "bhiv/audit".to_owned(),
            elasticsearch_url: None,
            elasticsearch_api_key: None,
            elasticsearch_index: "bhiv-logs".to_owned(),
            ship_ms: 1000,
            audit_number_ms: 200,
            audit_checkpoint_ms: 5000,
        }
    }
}
