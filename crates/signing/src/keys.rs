use std::collections::HashMap;

use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::jwk::{AlgorithmParameters, JwkSet};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde::de::DeserializeOwned;

/// Why something is not what it says it is.
#[derive(Debug, thiserror::Error)]
pub enum NotGenuine {
    /// It cannot be read.
    #[error("it cannot be read: {0}")]
    Malformed(String),
    /// It is signed with a key that is not among the known ones.
    #[error("it is signed with the key {0}, which is not known")]
    UnknownKey(String),
    /// It is a document of another kind.
    #[error("it is not '{expected}' but '{found}'")]
    OtherKind {
        /// What it should be.
        expected: String,
        /// What it says it is.
        found: String,
    },
    /// The signature is not that of what is signed.
    #[error("it was changed after it was signed, or signed with another key")]
    Changed,
}

/// Public keys, by their ids.
#[derive(Clone, Debug)]
pub struct PublicKeys {
    set: JwkSet,
    raw: HashMap<String, Vec<u8>>,
}

impl PublicKeys {
    /// The Ed25519 keys of `set`; others are left out.
    pub fn new(set: JwkSet) -> Self {
        let raw = set.keys.iter().filter_map(|key| {
            let AlgorithmParameters::OctetKeyPair(parameters) = &key.algorithm else { return None };
            let bytes = BASE64_URL_SAFE_NO_PAD.decode(&parameters.x).ok()?;
            Some((key.common.key_id.clone()?, bytes))
        });
        Self { raw: raw.collect(), set }
    }

    /// Sees whether `signature` is that of `bytes`, with the key `id`.
    ///
    /// # Errors
    /// When it is not.
    pub fn verify(&self, id: &str, bytes: &[u8], signature: &[u8]) -> Result<(), NotGenuine> {
        let key = self.raw.get(id).ok_or_else(|| NotGenuine::UnknownKey(id.to_owned()))?;
        UnparsedPublicKey::new(&ED25519, key).verify(bytes, signature).map_err(|_| NotGenuine::Changed)
    }

    /// The content of a signed document that is a `kind`. How long it is valid is the content's own affair.
    ///
    /// # Errors
    /// When it is not genuine, or of another kind.
    pub fn open<T: DeserializeOwned>(&self, kind: &str, document: &str) -> Result<T, NotGenuine> {
        let malformed = |error: jsonwebtoken::errors::Error| NotGenuine::Malformed(error.to_string());
        let header = jsonwebtoken::decode_header(document).map_err(malformed)?;
        let id = header.kid.unwrap_or_default();
        let found = header.typ.unwrap_or_default();
        if found != kind {
            return Err(NotGenuine::OtherKind { expected: kind.to_owned(), found });
        }
        let key = self.set.find(&id).ok_or(NotGenuine::UnknownKey(id))?;
        let key = DecodingKey::from_jwk(key).map_err(malformed)?;
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.required_spec_claims.clear();
        validation.validate_exp = false;
        validation.validate_aud = false;
        match jsonwebtoken::decode(document, &key, &validation) {
            Ok(data) => Ok(data.claims),
            Err(error) if matches!(error.kind(), ErrorKind::InvalidSignature) => Err(NotGenuine::Changed),
            Err(error) => Err(malformed(error)),
        }
    }
}
