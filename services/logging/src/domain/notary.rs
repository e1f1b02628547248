use std::path::Path;

use bhiv_ledger::{Checkpoint, Hash, LogKeys};
use bhiv_signing::{JwkSet, KeyError, Signer};

/// Signs checkpoints of the tree over audit rows.
#[derive(Debug)]
pub struct Notary {
    signer: Signer,
    origin: String,
}

impl Notary {
    /// With the private key in this file, for the log of this name.
    pub fn read(file: &Path, origin: &str) -> Result<Self, KeyError> {
        Ok(Self { signer: Signer::read(file)?, origin: origin.to_owned() })
    }

    /// The checkpoint of a tree, as a signed note.
    pub fn sign(&self, size: u64, root: Hash) -> String {
        Checkpoint { origin: self.origin.clone(), size, root }.sign(&self.signer)
    }

    /// The id of its key, and the public half in JSON.
    pub fn key(&self) -> (&str, serde_json::Value) {
        (self.signer.id(), serde_json::to_value(self.signer.public()).unwrap_or_default())
    }

    /// The name of the log.
    pub fn origin(&self) -> &str {
        &self.origin
    }
}

/// Public keys as the API answers them and as verifiers take them.
pub fn keys(keys: Vec<serde_json::Value>) -> LogKeys {
    let keys = keys.into_iter().filter_map(|key| serde_json::from_value(key).ok());
    LogKeys::new(JwkSet { keys: keys.collect() })
}
