use std::path::PathBuf;

use bhiv_auth::{Role, Signer};
use bhiv_clock::Clock;
use chrono::TimeDelta;
use clap::Args;

use crate::Outcome;

/// `bhiv keys`
#[derive(Args, Debug)]
pub struct Keys {
    /// Where the private key goes; it is never overwritten.
    #[arg(long, env = "SIGNING_KEY_FILE")]
    signing_key_file: PathBuf,
    /// Where the public keys go, for those who verify.
    #[arg(long, env = "AUTH_JWKS_FILE")]
    jwks_file: PathBuf,
}

impl Keys {
    pub fn run(self) -> Outcome {
        if self.signing_key_file.exists() {
            bhiv_auth::Keys::publish(&self.signing_key_file, &self.jwks_file)?;
        } else {
            bhiv_auth::Keys::generate(&self.signing_key_file, &self.jwks_file)?;
        }
        Ok(())
    }
}

/// `bhiv token`
#[derive(Args, Debug)]
pub struct Token {
    /// What the caller is: admin, manager, sales, logistics, support, compliance, viewer or service. May be
    /// given several times.
    #[arg(long, default_value = "admin")]
    role: Vec<Role>,
    /// Who the caller is.
    #[arg(long, default_value = "developer")]
    subject: String,
    /// How long the token is valid.
    #[arg(long, default_value_t = 60)]
    minutes: u16,
    /// The private key of the local stack.
    #[arg(long, env = "SIGNING_KEY_FILE", default_value = ".run/keys/signing-key.pem")]
    signing_key_file: PathBuf,
}

impl Token {
    pub fn run(self) -> Outcome {
        let signer = Signer::new(&self.signing_key_file, "bhiv-gateway", "bhiv")?;
        let validity = TimeDelta::minutes(i64::from(self.minutes));
        out!("{}", signer.sign(&self.subject, &self.role, Clock::system().now(), validity)?);
        Ok(())
    }
}
