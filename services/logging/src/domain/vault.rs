use std::fmt;
use std::path::Path;

use aws_lc_rs::aead::{AES_256_GCM, Aad, Nonce, RandomizedNonceKey};
use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use serde_json::Value;
use uuid::Uuid;

/// Bytes of a nonce, which stand before what is sealed with it.
const NONCE: usize = 12;

/// Seals keys of subjects with the master key: AES-256-GCM.
pub struct Vault {
    master: RandomizedNonceKey,
}

/// The key of one subject.
pub struct SubjectKey {
    id: Uuid,
    key: RandomizedNonceKey,
}

/// Why something cannot be sealed or opened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotSealed {
    /// The master key cannot be read.
    #[error("{0}")]
    Master(String),
    /// It was sealed with another key, or changed since.
    #[error("it was sealed with another key, or changed since")]
    Other,
    /// There is no randomness.
    #[error("the system has no randomness")]
    Chance,
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Vault")
    }
}

impl fmt::Debug for SubjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SubjectKey {}", self.id)
    }
}

impl Vault {
    /// With the master key in this file: 32 bytes in Base64.
    pub fn read(file: &Path) -> Result<Self, NotSealed> {
        let malformed = |why: String| NotSealed::Master(format!("{}: {why}", file.display()));
        let text = std::fs::read_to_string(file).map_err(|error| malformed(error.to_string()))?;
        let key = BASE64_STANDARD.decode(text.trim()).map_err(|error| malformed(error.to_string()))?;
        if key.len() != 32 {
            return Err(malformed("a master key is 32 bytes in Base64".to_owned()));
        }
        Ok(Self { master: of_bytes(&key)? })
    }

    /// A new key of a subject, and how it is kept.
    pub fn make(&self, id: Uuid) -> Result<Vec<u8>, NotSealed> {
        let mut key = [0; 32];
        aws_lc_rs::rand::fill(&mut key).map_err(|_| NotSealed::Chance)?;
        seal(&self.master, id.as_bytes(), &key)
    }

    /// The key that is kept so.
    pub fn open(&self, id: Uuid, wrapped: &[u8]) -> Result<SubjectKey, NotSealed> {
        let key = open(&self.master, id.as_bytes(), wrapped)?;
        Ok(SubjectKey { id, key: of_bytes(&key)? })
    }
}

impl SubjectKey {
    /// A value that only whoever has the key can read, and only as a part of the entry that it was sealed for.
    pub fn seal(&self, entry: Uuid, value: &Value) -> Result<String, NotSealed> {
        let sealed = seal(&self.key, entry.as_bytes(), value.to_string().as_bytes())?;
        Ok(format!("{}.{}", self.id, BASE64_URL_SAFE_NO_PAD.encode(sealed)))
    }

    /// What was sealed.
    pub fn open(&self, entry: Uuid, sealed: &str) -> Result<Value, NotSealed> {
        let (_, sealed) = sealed.split_once('.').ok_or(NotSealed::Other)?;
        let sealed = BASE64_URL_SAFE_NO_PAD.decode(sealed).map_err(|_| NotSealed::Other)?;
        let value = open(&self.key, entry.as_bytes(), &sealed)?;
        serde_json::from_slice(&value).map_err(|_| NotSealed::Other)
    }
}

fn of_bytes(key: &[u8]) -> Result<RandomizedNonceKey, NotSealed> {
    RandomizedNonceKey::new(&AES_256_GCM, key).map_err(|_| NotSealed::Other)
}

fn seal(key: &RandomizedNonceKey, of: &[u8], content: &[u8]) -> Result<Vec<u8>, NotSealed> {
    let mut sealed = content.to_vec();
    let nonce = key.seal_in_place_append_tag(Aad::from(of), &mut sealed).map_err(|_| NotSealed::Chance)?;
    Ok([nonce.as_ref().as_slice(), &sealed].concat())
}

fn open(key: &RandomizedNonceKey, of: &[u8], sealed: &[u8]) -> Result<Vec<u8>, NotSealed> {
    let (nonce, content) = sealed.split_first_chunk::<NONCE>().ok_or(NotSealed::Other)?;
    let mut content = content.to_vec();
    let nonce = Nonce::assume_unique_for_key(*nonce);
    let opened = key.open_in_place(nonce, Aad::from(of), &mut content).map_err(|_| NotSealed::Other)?;
    Ok(opened.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One with a master key of its own.
    fn vault(byte: u8) -> Vault {
        Vault { master: of_bytes(&[byte; 32]).unwrap() }
    }

    #[test]
    fn only_the_key_of_the_subject_opens_and_only_in_its_entry() {
        let (ours, other) = (vault(1), vault(2));
        let [id, entry, another] = [1, 2, 3].map(Uuid::from_u128);
        let wrapped = ours.make(id).unwrap();
        let key = ours.open(id, &wrapped).unwrap();
        let sealed = key.seal(entry, &Value::from("Asha")).unwrap();
        assert!(!sealed.contains("Asha") && sealed.starts_with(&id.to_string()));
        assert_eq!(key.open(entry, &sealed), Ok(Value::from("Asha")));
        assert_eq!(key.open(another, &sealed), Err(NotSealed::Other));
        let other_key = ours.open(another, &ours.make(another).unwrap()).unwrap();
        assert_eq!(other_key.open(entry, &sealed), Err(NotSealed::Other));
        assert!(ours.open(another, &wrapped).is_err() && other.open(id, &wrapped).is_err());
        assert_ne!(sealed, key.seal(entry, &Value::from("Asha")).unwrap(), "the same is sealed differently");
    }

    #[test]
    fn what_is_no_master_key_is_named() {
        let file = std::env::temp_dir().join(format!("no-master-key-{}", std::process::id()));
        std::fs::write(&file, "AAAA").unwrap();
        assert!(Vault::read(&file).unwrap_err().to_string().contains("32 bytes"));
        std::fs::write(&file, BASE64_STANDARD.encode([7; 32])).unwrap();
        assert!(Vault::read(&file).is_ok());
        std::fs::remove_file(&file).unwrap();
        assert!(matches!(Vault::read(&file), Err(NotSealed::Master(_))));
    }
}
