use std::path::PathBuf;

use clap::Args;

use crate::domain::regime::Regime;

/// What compliance reads from its environment beyond what every service does.
#[derive(Args, Clone, Debug)]
pub struct Config {
    /// Certificates, receipts and evidence packs are signed with it: an Ed25519 key in PEM (PKCS #8), as `bhiv keys`
    /// makes it. Without it they cannot be had; all else goes on.
    #[arg(long, env = "COMPLIANCE_SIGNING_KEY_FILE")]
    pub compliance_signing_key_file: Option<PathBuf>,
    /// Public keys that were signed with before: a JWKS, as `bhiv keys` writes it. They are published beside that of
    /// the key of now, so that what was signed then can still be checked.
    #[arg(long, env = "COMPLIANCE_JWKS_FILE")]
    pub compliance_jwks_file: Option<PathBuf>,
    /// In whose name they are signed: who is responsible for the data.
    #[arg(long, env = "COMPLIANCE_CONTROLLER", default_value = "bhiv")]
    pub compliance_controller: String,
    /// The law that requests of persons come under, unless they name one: gdpr or dpdp.
    #[arg(long, env = "COMPLIANCE_REGIME", default_value_t = Regime::Gdpr)]
    pub compliance_regime: Regime,
    /// How often it is looked for what is due, in milliseconds.
    #[arg(long, env = "TIMER_CHECK_MS", default_value_t = 1000)]
    pub timer_check_ms: u64,
    /// How many days events are kept that were judged, for drafts of policies to be tried on and evidence packs.
    #[arg(long, env = "KEEP_EVENTS_DAYS", default_value_t = 30)]
    pub keep_events_days: u16,
    /// How many days the files of evidence packs are kept.
    #[arg(long, env = "KEEP_PACKS_DAYS", default_value_t = 7)]
    pub keep_packs_days: u16,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            compliance_signing_key_file: None,
            compliance_jwks_file: None,
            compliance_controller: "bhiv".to_owned(),
            compliance_regime: Regime::Gdpr,
            timer_check_ms: 1000,
            keep_events_days: 30,
            keep_packs_days: 7,
        }
    }
}
