//! In whose name, under which law and with which key compliance speaks.

use std::path::Path;
use std::sync::Arc;

use bhiv_signing::{JwkSet, KeyError, Signer};
use serde::Serialize;

use crate::config::Config;
use crate::domain::regime::Regime;

/// What the certificate of an erasure says that it is.
pub const CERTIFICATE: &str = "erasure-certificate+jwt";

/// What the receipt of a consent says that it is.
pub const RECEIPT: &str = "consent-receipt+jwt";

/// What the manifest of an evidence pack says that it is.
pub const PACK: &str = "evidence-pack+jwt";

/// In whose name, under which law and with which key compliance speaks. Cloning it shares it.
#[derive(Clone, Debug)]
pub struct Office {
    /// Who is responsible for the data.
    pub controller: String,
    /// The law, unless a request names one.
    pub regime: Regime,
    signer: Option<Arc<Signer>>,
    retired: Arc<JwkSet>,
}

/// Why there are no keys.
#[derive(Debug, thiserror::Error)]
pub enum OfficeError {
    #[error(transparent)]
    Signing(#[from] KeyError),
    #[error("{path}: {reason}; COMPLIANCE_JWKS_FILE is a JWKS, as `bhiv keys` writes it")]
    Retired { path: String, reason: String },
}

/// Why something is not signed.
#[derive(Debug, thiserror::Error)]
pub enum Unsigned {
    #[error(
        "the service has no key: set COMPLIANCE_SIGNING_KEY_FILE to an Ed25519 key in PEM; `bhiv keys` makes one"
    )]
    NoKey,
    #[error("the document has no form in JSON: {0}")]
    Unwritable(String),
}

/// A signed document: a JWS in compact form, and the id of the key that it is signed with.
#[derive(Debug)]
pub struct Sealed {
    pub kid: String,
    pub jws: String,
}

impl Office {
    /// With the keys of the settings, if they name some.
    pub fn open(config: &Config) -> Result<Self, OfficeError> {
        let retired = config.compliance_jwks_file.as_deref().map(read_keys).transpose()?;
        let signer = config.compliance_signing_key_file.as_deref().map(Signer::read).transpose()?;
        Ok(Self {
            controller: config.compliance_controller.clone(),
            regime: config.compliance_regime,
            signer: signer.map(Arc::new),
            retired: Arc::new(retired.unwrap_or(JwkSet { keys: Vec::new() })),
        })
    }

    fn signer(&self) -> Result<&Signer, Unsigned> {
        self.signer.as_deref().ok_or(Unsigned::NoKey)
    }

    /// Signs `content` as a document of the kind `typ`.
    pub fn seal(&self, typ: &str, content: &impl Serialize) -> Result<Sealed, Unsigned> {
        let signer = self.signer()?;
        let jws = signer.document(typ, content).map_err(|error| Unsigned::Unwritable(error.to_string()))?;
        Ok(Sealed { kid: signer.id().to_owned(), jws })
    }

    /// The public keys, that of now first.
    pub fn keys(&self) -> Result<JwkSet, Unsigned> {
        let now = self.signer()?.public();
        let retired = self.retired.keys.iter().filter(|key| key.common.key_id != now.common.key_id);
        Ok(JwkSet { keys: std::iter::once(now).chain(retired).cloned().collect() })
    }
}

fn read_keys(file: &Path) -> Result<JwkSet, OfficeError> {
    let fault = |reason: String| OfficeError::Retired { path: file.display().to_string(), reason };
    let text = std::fs::read(file).map_err(|error| fault(error.to_string()))?;
    serde_json::from_slice(&text).map_err(|error| fault(error.to_string()))
}
