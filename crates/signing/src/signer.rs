use std::path::Path;

use aws_lc_rs::signature::Ed25519KeyPair;
use jsonwebtoken::jwk::{Jwk, KeyAlgorithm, PublicKeyUse, ThumbprintHash};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde::Serialize;

/// Why a private key is of no use.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file cannot be read.
    #[error("{path}: {source}; `bhiv keys` makes a key")]
    File {
        /// The file.
        path: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file holds no key.
    #[error("{path} holds no Ed25519 key in PEM (PKCS #8): {reason}")]
    Malformed {
        /// The file.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
}

/// A private key.
pub struct Signer {
    pair: Ed25519KeyPair,
    encoding: EncodingKey,
    public: Jwk,
    id: String,
}

impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Signer with the key {}", self.id)
    }
}

impl Signer {
    /// Reads the private key: Ed25519 in PEM (PKCS #8).
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn read(file: &Path) -> Result<Self, KeyError> {
        let path = || file.display().to_string();
        let text = std::fs::read(file).map_err(|source| KeyError::File { path: path(), source })?;
        Self::parse(&text).map_err(|reason| KeyError::Malformed { path: path(), reason })
    }

    fn parse(text: &[u8]) -> Result<Self, String> {
        let der = pem::parse(text).map_err(|error| error.to_string())?;
        let pair = Ed25519KeyPair::from_pkcs8(der.contents()).map_err(|error| error.to_string())?;
        let encoding = EncodingKey::from_ed_pem(text).map_err(|error| error.to_string())?;
        let mut public =
            Jwk::from_encoding_key(&encoding, Algorithm::EdDSA).map_err(|error| error.to_string())?;
        let id = public.thumbprint(ThumbprintHash::SHA256).map_err(|error| error.to_string())?;
        public.common.key_id = Some(id.clone());
        public.common.public_key_use = Some(PublicKeyUse::Signature);
        public.common.key_algorithm = Some(KeyAlgorithm::EdDSA);
        Ok(Self { pair, encoding, public, id })
    }

    /// The key's id: its thumbprint (RFC 7638).
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Its public half.
    pub fn public(&self) -> &Jwk {
        &self.public
    }

    /// The signature of `bytes`: 64 bytes.
    pub fn sign(&self, bytes: &[u8]) -> Vec<u8> {
        self.pair.sign(bytes).as_ref().to_vec()
    }

    /// `content` as a signed document, a JWS in compact form. `kind` says what it is, for example `receipt+jwt`, so
    /// that it is not taken for another.
    ///
    /// # Errors
    /// When `content` has no form in JSON.
    pub fn document(
        &self,
        kind: &str,
        content: &impl Serialize,
    ) -> Result<String, jsonwebtoken::errors::Error> {
        let mut header = Header::new(Algorithm::EdDSA);
        header.kid = Some(self.id.clone());
        header.typ = Some(kind.to_owned());
        jsonwebtoken::encode(&header, content, &self.encoding)
    }
}
