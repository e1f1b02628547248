use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::time::Instant;

use jsonwebtoken::jwk::{Jwk, JwkSet, KeyAlgorithm};
use jsonwebtoken::{Algorithm, DecodingKey};

use crate::KeyError;
use crate::file::Stamp;

/// The public keys of an issuer, as they stood in a file.
pub(crate) struct KeySet {
    /// By their ids, each with the one algorithm that it is for.
    pub(crate) keys: HashMap<String, (DecodingKey, Algorithm)>,
    /// As they are shown to others.
    pub(crate) published: JwkSet,
    /// Which state of the file they are from.
    pub(crate) stamp: Stamp,
    /// When somebody last looked whether it has changed.
    pub(crate) looked: Instant,
}

impl KeySet {
    /// Reads them.
    pub(crate) fn read(path: &Path) -> Result<Self, KeyError> {
        let stamp = Stamp::of(path);
        let text = fs::read(path).map_err(|error| KeyError::file(path, error))?;
        let published: JwkSet =
            serde_json::from_slice(&text).map_err(|error| KeyError::malformed(path, error))?;
        let keys: HashMap<_, _> = published.keys.iter().filter_map(usable).collect();
        if keys.is_empty() {
            return Err(KeyError::malformed(path, "no EdDSA or ES256 key with a kid"));
        }
        Ok(Self { keys, published, stamp, looked: Instant::now() })
    }
}

fn usable(jwk: &Jwk) -> Option<(String, (DecodingKey, Algorithm))> {
    let algorithm = match jwk.common.key_algorithm? {
        KeyAlgorithm::EdDSA => Algorithm::EdDSA,
        KeyAlgorithm::ES256 => Algorithm::ES256,
        _ => return None,
    };
    let key = DecodingKey::from_jwk(jwk).ok()?;
    Some((jwk.common.key_id.clone()?, (key, algorithm)))
}
