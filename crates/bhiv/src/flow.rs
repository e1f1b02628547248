//! `bhiv flow`: the eight steps from lead to feedback, with every effect.

mod client;
mod report;
mod steps;
mod tamper;
mod watch;

use std::path::PathBuf;
use std::time::Duration;

use bhiv_clock::Clock;
use bhiv_settings::Secret;
use clap::Args;

use crate::Outcome;
pub use client::{Client, http};
use report::Report;
use watch::Watch;

/// `bhiv flow`
#[derive(Args, Debug)]
pub struct Flow {
    /// The gateway.
    #[arg(long, env = "BHIV_URL", default_value = "http://127.0.0.1:8005")]
    url: String,
    /// File with the certificate, PEM, that is trusted for it: for a deployment whose certificate is self-made.
    #[arg(long, env = "BHIV_CA_FILE")]
    ca_file: Option<PathBuf>,
    /// Who runs it: an administrator's e-mail address.
    #[arg(long, env = "ADMIN_EMAIL")]
    email: String,
    /// Their password.
    #[arg(long, env = "ADMIN_PASSWORD", hide_env_values = true)]
    password: Secret,
    /// How long each effect may take, in seconds.
    #[arg(long, default_value_t = 30)]
    patience: u64,
    /// Only the table at the end.
    #[arg(long)]
    quiet: bool,
    /// Afterwards, change an audit row behind everybody's back, show that it is found, and put it back.
    #[arg(long)]
    tamper: bool,
    /// For --tamper: PostgreSQL as an administrator.
    #[arg(long, env = "DATABASE_ADMIN_URL", hide_env_values = true)]
    database_admin_url: Option<Secret>,
}

impl Flow {
    pub async fn run(self) -> Outcome {
        let clock = Clock::system();
        let http = http(self.ca_file.as_deref())?;
        let client = Client::log_in(http, &self.url, &self.email, &self.password, clock.clone()).await?;
        let watch = Watch::open(&client).await?;
        let mut report = Report::new(self.quiet);
        report.begin(&client);
        let patience = Duration::from_secs(self.patience);
        let outcome = steps::run(&client, &watch, &mut report, patience).await;
        report.table();
        outcome?;
        if self.tamper {
            let database = self.database_admin_url.ok_or("--tamper needs DATABASE_ADMIN_URL")?;
            tamper::run(&client, database, patience).await?;
        }
        Ok(())
    }
}
