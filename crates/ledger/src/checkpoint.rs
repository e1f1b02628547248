use std::fmt;

use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use bhiv_signing::{Jwk, JwkSet, PublicKeys, Signer};
use sha2::{Digest as _, Sha256};

use crate::Hash;

/// The root of the tree when it had so many rows: what is signed, and what is kept outside to compare with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Which log it is: the first line of the note, and the name of the key.
    pub origin: String,
    /// How many rows.
    pub size: u64,
    /// The root.
    pub root: Hash,
}

/// Why a checkpoint counts for nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Bad {
    /// It is none.
    #[error("it is no checkpoint: {0}")]
    Malformed(&'static str),
    /// No known key of the log signed it.
    #[error("no key of this log that is known signed it")]
    UnknownKey,
    /// It was changed after it was signed.
    #[error("it was changed after it was signed")]
    Changed,
}

/// What begins the line of a signature (C2SP `signed-note`).
const DASH: char = '\u{2014}';

impl Checkpoint {
    /// What is signed: three lines.
    fn body(&self) -> String {
        format!("{}\n{}\n{}\n", self.origin, self.size, self.root)
    }

    /// As a signed note (C2SP `signed-note` and `tlog-checkpoint`).
    pub fn sign(&self, signer: &Signer) -> String {
        let body = self.body();
        let hint = raw(signer.public()).map(|key| hint(&self.origin, &key)).unwrap_or_default();
        let signature = [hint.as_slice(), &signer.sign(body.as_bytes())].concat();
        format!("{body}\n{DASH} {} {}\n", self.origin, BASE64_STANDARD.encode(signature))
    }

    /// Reads a note, whoever signed it.
    ///
    /// # Errors
    /// When it is none.
    pub fn read(note: &str) -> Result<Self, Bad> {
        let (body, _) = parts(note)?;
        let mut lines = body.lines();
        let (origin, size, root) = (lines.next(), lines.next(), lines.next());
        let origin = origin.filter(|origin| !origin.is_empty()).ok_or(Bad::Malformed("it names no log"))?;
        let plain = |size: &&str| !size.starts_with('+') && (size.len() == 1 || !size.starts_with('0'));
        let size = size.filter(plain).and_then(|size| size.parse().ok());
        let size = size.ok_or(Bad::Malformed("its second line is no number of rows"))?;
        let root = root.and_then(|root| Hash::try_from(root.to_owned()).ok());
        let root = root.ok_or(Bad::Malformed("its third line is no root"))?;
        Ok(Self { origin: origin.to_owned(), size, root })
    }
}

fn parts(note: &str) -> Result<(&str, &str), Bad> {
    let (body, signatures) =
        note.split_once("\n\n").ok_or(Bad::Malformed("no empty line is before its signatures"))?;
    let body = note.get(..=body.len()).unwrap_or_default();
    Ok((body, signatures))
}

/// Names a key within a note: the first four bytes of this hash.
fn hint(origin: &str, key: &[u8]) -> [u8; 4] {
    let hash = Sha256::new().chain_update(origin).chain_update([b'\n', 1]).chain_update(key).finalize();
    let [a, b, c, d, ..]: [u8; 32] = hash.into();
    [a, b, c, d]
}

fn raw(key: &Jwk) -> Option<Vec<u8>> {
    let key = serde_json::to_value(key).ok()?;
    BASE64_URL_SAFE_NO_PAD.decode(key.get("x")?.as_str()?).ok()
}

/// The public keys of a log.
#[derive(Clone)]
pub struct LogKeys {
    keys: Vec<Key>,
    public: PublicKeys,
}

#[derive(Clone)]
struct Key {
    id: String,
    raw: Vec<u8>,
}

impl fmt::Debug for LogKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.keys.iter().map(|key| &key.id)).finish()
    }
}

impl LogKeys {
    /// Those of a JWKS.
    pub fn new(set: JwkSet) -> Self {
        let keys =
            set.keys.iter().filter_map(|key| Some(Key { id: key.common.key_id.clone()?, raw: raw(key)? }));
        Self { keys: keys.collect(), public: PublicKeys::new(set) }
    }

    /// The keys as verifiers of signed notes read them: `<name>+<hint>+<key>`.
    pub fn verifier_keys(&self, origin: &str) -> Vec<String> {
        let keys = self.keys.iter().map(|key| {
            let hint =
                hint(origin, &key.raw).iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"));
            let key = BASE64_STANDARD.encode([&[1], key.raw.as_slice()].concat());
            format!("{origin}+{hint}+{key}")
        });
        keys.collect()
    }

    /// Reads a note that one of them signed.
    ///
    /// # Errors
    /// When it is none, or none of them did.
    pub fn open(&self, note: &str) -> Result<Checkpoint, Bad> {
        let checkpoint = Checkpoint::read(note)?;
        let (body, signatures) = parts(note)?;
        let mut is_known = false;
        for line in signatures.lines() {
            let mut words = line.strip_prefix(DASH).unwrap_or_default().split_whitespace();
            let (Some(name), Some(signature)) = (words.next(), words.next()) else { continue };
            let Ok(signature) = BASE64_STANDARD.decode(signature) else { continue };
            let Some((first, signature)) = signature.split_first_chunk::<4>() else { continue };
            let key = self.keys.iter().find(|key| hint(name, &key.raw) == *first);
            let Some(key) = key.filter(|_| name == checkpoint.origin) else { continue };
            is_known = true;
            if self.public.verify(&key.id, body.as_bytes(), signature).is_ok() {
                return Ok(checkpoint);
            }
        }
        Err(if is_known { Bad::Changed } else { Bad::UnknownKey })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signer() -> Signer {
        let dir = tempfile::tempdir().unwrap();
        let (private, public) = (dir.path().join("key.pem"), dir.path().join("jwks.json"));
        bhiv_auth::Keys::generate(&private, &public).unwrap();
        Signer::read(&private).unwrap()
    }

    fn keys(signer: &Signer) -> LogKeys {
        LogKeys::new(JwkSet { keys: vec![signer.public().clone()] })
    }

    #[test]
    fn only_what_a_known_key_signed_is_a_checkpoint() {
        let (ours, other) = (signer(), signer());
        let checkpoint =
            Checkpoint { origin: "bhiv/audit".to_owned(), size: 7, root: Hash::of_leaf(b"seven") };
        let note = checkpoint.sign(&ours);
        let lines: Vec<_> = note.lines().collect();
        assert_eq!(lines.first(), Some(&"bhiv/audit"));
        assert_eq!((lines.get(1), lines.get(3), lines.len()), (Some(&"7"), Some(&""), 5));
        assert_eq!(keys(&ours).open(&note), Ok(checkpoint.clone()));
        assert_eq!(keys(&ours).open(&note.replace("\n7\n", "\n8\n")), Err(Bad::Changed));
        assert_eq!(keys(&ours).open(&checkpoint.sign(&other)), Err(Bad::UnknownKey));
        // One of several signatures is enough.
        let both = format!("{note}{}", checkpoint.sign(&other).lines().last().unwrap());
        assert_eq!(keys(&other).open(&both), Ok(checkpoint));
        for none in ["", "a\n7\n\n", "a\n07\nAAAA\n\n", "\n7\nAAAA\n\n", &note.replace("\n\n", "\n")] {
            assert!(matches!(keys(&ours).open(none), Err(Bad::Malformed(_))), "{none}");
        }
    }

    /// The verifier key of the example that implementations of signed notes are tested with.
    #[test]
    fn a_key_is_named_as_other_verifiers_name_it() {
        let key = BASE64_STANDARD.decode("ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW").unwrap();
        assert_eq!(hint("PeterNeumann", key.get(1..).unwrap()), [0xc7, 0x4f, 0x20, 0xa3]);
        let signer = signer();
        let verifier_key = keys(&signer).verifier_keys("bhiv/audit").concat();
        assert!(
            verifier_key.starts_with("bhiv/audit+") && verifier_key.split('+').nth(1).unwrap().len() == 8
        );
    }
}
