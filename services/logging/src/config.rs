use std::path::PathBuf;

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
            audit_number_ms: 200,
            audit_checkpoint_ms: 5000,
        }
    }
}
