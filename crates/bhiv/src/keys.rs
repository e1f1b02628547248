use std::path::PathBuf;

use bhiv_auth::{Role, Signer};
use bhiv_clock::Clock;
use chrono::TimeDelta;
use clap::{Args, Subcommand};

use crate::Outcome;

/// `bhiv keys`
#[derive(Args, Debug)]
pub struct Keys {
    /// What to do; without it, a key pair is made unless there is one.
    #[command(subcommand)]
    what: Option<What>,
    /// Where the private key goes; it is never overwritten.
    #[arg(long, env = "SIGNING_KEY_FILE", global = true, default_value = ".run/keys/signing-key.pem")]
    signing_key_file: PathBuf,
    /// Where the public keys go, for those who verify.
    #[arg(long, env = "AUTH_JWKS_FILE", global = true, default_value = ".run/keys/jwks.json")]
    jwks_file: PathBuf,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Have another key sign. Running gateways and services take it up by themselves; what the key before has
    /// signed stays valid until the next rotation.
    Rotate {
        /// Only publish the key that signs after the next rotation: for verifiers whose copy of the public keys
        /// arrives late.
        #[arg(long)]
        stage: bool,
    },
    /// The ids of the published keys; the first one signs.
    List,
}

impl Keys {
    pub fn run(self) -> Outcome {
        let keys = bhiv_auth::Keys::new(&self.signing_key_file, &self.jwks_file);
        match self.what {
            None => keys.ensure()?,
            Some(What::Rotate { stage: true }) => {
                keys.stage()?;
                out!("published: {}", keys.ids()?.join(", "));
            }
            Some(What::Rotate { stage: false }) => {
                keys.rotate()?;
                out!("signing: {}", keys.ids()?.join(", before it: "));
            }
            Some(What::List) => {
                for id in keys.ids()? {
                    out!("{id}");
                }
            }
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
