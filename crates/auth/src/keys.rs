use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

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

/// The issuer's keys as two files: an Ed25519 private key in PEM (PKCS #8), which only the gateway reads, and the
/// public keys as JWKS, which everybody may read: first the one that signs, then those that are on their way in or
/// out.
#[derive(Debug)]
pub struct Keys {
    private: PathBuf,
    jwks: PathBuf,
}

impl Keys {
    /// The keys in these files, which need not be there yet.
    pub fn new(private: &Path, jwks: &Path) -> Self {
        Self { private: private.to_owned(), jwks: jwks.to_owned() }
    }

    /// Makes a private key, readable by its owner alone, and the JWKS that belongs to it. Folders that are not there are
    /// made; that of the private key is its owner's alone.
    ///
    /// # Errors
    /// When a file cannot be written; an existing private key is never overwritten.
    pub fn generate(private: &Path, jwks: &Path) -> Result<(), KeyError> {
        make_folder(private, 0o700)?;
        make_folder(jwks, 0o755)?;
        make_private(private)?;
        Self::new(private, jwks).write(vec![read_private(private)?.1])
    }

    /// Makes a private key unless there is one, and sees to it that the JWKS has its public half.
    ///
    /// # Errors
    /// When a file cannot be read or written.
    pub fn ensure(&self) -> Result<(), KeyError> {
        if !self.private.exists() {
            return Self::generate(&self.private, &self.jwks);
        }
        let current = read_private(&self.private)?.1;
        let mut keys = vec![current.clone()];
        keys.extend(self.published()?.into_iter().filter(|key| !is_same(key, &current)));
        self.write(keys)
    }

    /// Publishes the key that will sign next, so that every verifier knows it by then. Does nothing the second time.
    ///
    /// # Errors
    /// When a file cannot be read or written.
    pub fn stage(&self) -> Result<(), KeyError> {
        let next = self.next();
        if !next.exists() {
            make_private(&next)?;
        }
        let next = read_private(&next)?.1;
        let mut keys = self.published()?;
        if !keys.iter().any(|key| is_same(key, &next)) {
            keys.push(next);
        }
        self.write(keys)
    }

    /// Has the next key sign from now on. The one before stays published until the next rotation, so that what it
    /// signed stays valid; those before it are forgotten.
    ///
    /// # Errors
    /// When a file cannot be read or written.
    pub fn rotate(&self) -> Result<(), KeyError> {
        self.stage()?;
        let (next, current) = (read_private(&self.next())?.1, read_private(&self.private)?.1);
        // First known, then used.
        self.write(vec![next, current])?;
        fs::rename(self.next(), &self.private).map_err(|error| KeyError::file(&self.private, error))
    }

    /// The ids of the published keys; the first one signs.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn ids(&self) -> Result<Vec<String>, KeyError> {
        Ok(self.published()?.into_iter().filter_map(|key| key.common.key_id).collect())
    }

    fn next(&self) -> PathBuf {
        let mut name = self.private.clone().into_os_string();
        name.push(".next");
        name.into()
    }

    fn published(&self) -> Result<Vec<Jwk>, KeyError> {
        match fs::read(&self.jwks) {
            Ok(text) => serde_json::from_slice::<JwkSet>(&text)
                .map(|set| set.keys)
                .map_err(|error| KeyError::malformed(&self.jwks, error)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(KeyError::file(&self.jwks, error)),
        }
    }

    /// At once: a verifier reads the old ones or the new ones.
    fn write(&self, keys: Vec<Jwk>) -> Result<(), KeyError> {
        let set = serde_json::to_vec_pretty(&JwkSet { keys })
            .map_err(|error| KeyError::malformed(&self.jwks, error))?;
        let mut fresh = self.jwks.clone().into_os_string();
        fresh.push(".new");
        fs::write(&fresh, set)
            .and_then(|()| fs::rename(&fresh, &self.jwks))
            .map_err(|error| KeyError::file(&self.jwks, error))
    }
}

fn is_same(one: &Jwk, other: &Jwk) -> bool {
    one.common.key_id == other.common.key_id
}

/// The folder of `file`, unless it is there.
fn make_folder(file: &Path, mode: u32) -> Result<(), KeyError> {
    let Some(folder) = file.parent() else { return Ok(()) };
    let made = fs::DirBuilder::new().recursive(true).mode(mode).create(folder);
    made.map_err(|error| KeyError::file(folder, error))
}

fn make_private(path: &Path) -> Result<(), KeyError> {
    let der = Ed25519KeyPair::generate()
        .and_then(|pair| pair.to_pkcs8v1())
        .map_err(|error| KeyError::malformed(path, error))?;
    let text = BASE64_STANDARD.encode(der.as_ref());
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .map_err(|error| KeyError::file(path, error))?;
    writeln!(file, "-----BEGIN PRIVATE KEY-----\n{text}\n-----END PRIVATE KEY-----")
        .map_err(|error| KeyError::file(path, error))
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

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn keys_are_made_in_a_folder_that_others_cannot_enter_and_never_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let (private, public) = (folder.path().join("new/keys/key.pem"), folder.path().join("new/jwks.json"));
        Keys::generate(&private, &public).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(private.parent().unwrap()), mode(&private)), (0o700, 0o600));
        let made = fs::read(&private).unwrap();
        let again = Keys::generate(&private, &public);
        assert!(matches!(again, Err(KeyError::File { .. })));
        assert_eq!(fs::read(&private).unwrap(), made);
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "").unwrap();
        let refused = Keys::generate(&file.join("keys/key.pem"), &folder.path().join("jwks.json"));
        assert!(refused.unwrap_err().to_string().contains("file/keys: "));
    }
}
