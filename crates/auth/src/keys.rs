use std::fs;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use aws_lc_rs::signature::Ed25519KeyPair;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use jsonwebtoken::jwk::{Jwk, JwkSet, KeyAlgorithm, PublicKeyUse, ThumbprintHash};
use jsonwebtoken::{Algorithm, EncodingKey};

/// Why keys cannot be read or made.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file cannot be read or written.
    #[error("{path}: {source}")]
    File {
        /// The file.
        path: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file holds no keys.
    #[error("{path} holds no usable key: {reason}")]
    Malformed {
        /// The file.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
}

impl KeyError {
    pub(crate) fn file(path: &Path, source: std::io::Error) -> Self {
        Self::File { path: path.display().to_string(), source }
    }

    pub(crate) fn malformed(path: &Path, reason: impl ToString) -> Self {
        Self::Malformed { path: path.display().to_string(), reason: reason.to_string() }
    }
}

/// The issuer's key pair as two files: an Ed25519 private key in PEM (PKCS #8), which only the gateway reads,
/// and the public keys as JWKS, which everybody may read.
#[derive(Debug)]
pub struct Keys;

impl Keys {
    /// Makes a private key, readable by its owner alone, and the JWKS that belongs to it.
    ///
    /// # Errors
    /// When a file cannot be written; an existing private key is never overwritten.
    pub fn generate(private_pem: &Path, jwks: &Path) -> Result<(), KeyError> {
        let der = Ed25519KeyPair::generate()
            .and_then(|pair| pair.to_pkcs8v1())
            .map_err(|error| KeyError::malformed(private_pem, error))?;
        let text = BASE64_STANDARD.encode(der.as_ref());
        let mut file = fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(private_pem)
            .map_err(|error| KeyError::file(private_pem, error))?;
        writeln!(file, "-----BEGIN PRIVATE KEY-----\n{text}\n-----END PRIVATE KEY-----")
            .map_err(|error| KeyError::file(private_pem, error))?;
        Self::publish(private_pem, jwks)
    }

    /// Writes the JWKS that belongs to a private key, for those who verify.
    ///
    /// # Errors
    /// When the private key is not Ed25519 in PEM, or a file cannot be read or written.
    pub fn publish(private_pem: &Path, jwks: &Path) -> Result<(), KeyError> {
        let (_, public) = read_private(private_pem)?;
        let set = serde_json::to_vec_pretty(&JwkSet { keys: vec![public] })
            .map_err(|error| KeyError::malformed(private_pem, error))?;
        fs::write(jwks, set).map_err(|error| KeyError::file(jwks, error))
    }
}

/// The private key and its public half, named by its thumbprint (RFC 7638).
pub(crate) fn read_private(path: &Path) -> Result<(EncodingKey, Jwk), KeyError> {
    let pem = fs::read(path).map_err(|error| KeyError::file(path, error))?;
    let private = EncodingKey::from_ed_pem(&pem).map_err(|error| KeyError::malformed(path, error))?;
    let mut public = Jwk::from_encoding_key(&private, Algorithm::EdDSA)
        .map_err(|error| KeyError::malformed(path, error))?;
    let thumbprint =
        public.thumbprint(ThumbprintHash::SHA256).map_err(|error| KeyError::malformed(path, error))?;
    public.common.key_id = Some(thumbprint);
    public.common.public_key_use = Some(PublicKeyUse::Signature);
    public.common.key_algorithm = Some(KeyAlgorithm::EdDSA);
    Ok((private, public))
}
