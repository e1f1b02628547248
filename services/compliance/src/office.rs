//! In whose name, under which law and with which key compliance speaks.

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
    /// With the key of the settings, if they name one.
    pub fn open(config: &Config) -> Result<Self, KeyError> {
        let signer = config.compliance_signing_key_file.as_deref().map(Signer::read).transpose()?;
        Ok(Self {
            controller: config.compliance_controller.clone(),
            regime: config.compliance_regime,
            signer: signer.map(Arc::new),
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

    /// The public keys.
    pub fn keys(&self) -> Result<JwkSet, Unsigned> {
        Ok(JwkSet { keys: vec![self.signer()?.public().clone()] })
    }
}
