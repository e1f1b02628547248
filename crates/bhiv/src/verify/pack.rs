use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::File;
use std::io::{Read, Seek};
use std::path::{Path, PathBuf};

use bhiv_signing::{JwkSet, PublicKeys};
use clap::Args;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use zip::ZipArchive;

use crate::Outcome;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// What the manifest of a pack says that it is.
const PACK: &str = "evidence-pack+jwt";

/// `bhiv verify pack`
#[derive(Args, Debug)]
pub struct Pack {
    /// The file that `GET /compliance/packs/{id}/zip` answered.
    file: PathBuf,
    /// Public keys that were kept outside: a JWKS, as `GET /compliance/keys` answered it. Without it those count that
    /// the pack has with it, which shows that it is whole, and not whose it is.
    #[arg(long, value_name = "FILE")]
    keys: Option<PathBuf>,
}

impl Pack {
    pub fn run(self) -> Outcome {
        let keys = self.keys.as_deref().map(keys).transpose()?;
        let is_trusted = keys.is_some();
        let report = check(File::open(&self.file)?, keys)?;
        let Manifest { iss, jti, start_date, end_date, created_at, files } = &report.manifest;
        out!("evidence pack {jti} of {iss}, {start_date} to {end_date}, made {created_at}");
        for file in files {
            out!("  {:24} {:>8} records {:>12} bytes", file.name, file.records, file.bytes);
        }
        out!("  {} signed receipts and certificates", report.proofs);
        if report.faults.is_empty() {
            out!("everything is as it was signed");
            if !is_trusted {
                out!("the keys are the pack's own: name --keys to see whose it is");
            }
            return Ok(());
        }
        for fault in &report.faults {
            out!("  FAULT {fault}");
        }
        Err(format!("{} faults: the pack is not what was signed", report.faults.len()).into())
    }
}

/// What was signed of a pack. What else it says is of no matter here.
#[derive(Debug, Deserialize)]
struct Manifest {
    iss: String,
    jti: String,
    start_date: String,
    end_date: String,
    created_at: String,
    files: Vec<Listed>,
}

#[derive(Debug, Deserialize)]
struct Listed {
    name: String,
    sha256: String,
    bytes: u64,
    records: u64,
}

/// A signed document among the files.
#[derive(Debug, Deserialize)]
struct Proof {
    typ: String,
    id: String,
    jws: String,
}

#[derive(Debug)]
struct Report {
    manifest: Manifest,
    proofs: usize,
    faults: Vec<String>,
}

/// Compares a pack with what was signed of it.
fn check(pack: impl Read + Seek, keys: Option<PublicKeys>) -> Result<Report> {
    let mut files = unzipped(pack)?;
    let mut beside = |name: &str| files.remove(name).ok_or_else(|| format!("there is no {name} in it"));
    let signed = String::from_utf8(beside("manifest.jws")?)?;
    let own = beside("keys.json")?;
    let keys = match keys {
        Some(keys) => keys,
        None => PublicKeys::new(serde_json::from_slice(&own)?),
    };
    let manifest: Manifest = keys.open(PACK, signed.trim())?;
    let mut faults = Vec::new();
    for listed in &manifest.files {
        match files.get(&listed.name) {
            None => faults.push(format!("{} is missing", listed.name)),
            Some(content) if hex(content) != listed.sha256 => {
                faults.push(format!("{} was changed", listed.name));
            }
            Some(_) => {}
        }
    }
    let is_listed = |name: &String| manifest.files.iter().any(|listed| listed.name == *name);
    faults.extend(files.keys().filter(|name| !is_listed(name)).map(|name| format!("{name} was added")));
    let mut proofs = 0;
    let text = files.get("proofs.ndjson").map(|content| String::from_utf8_lossy(content)).unwrap_or_default();
    for line in text.lines() {
        let proof: Proof = serde_json::from_str(line)?;
        match keys.open::<serde_json::Value>(&proof.typ, &proof.jws) {
            Ok(_) => proofs += 1,
            Err(error) => faults.push(format!("{} {}: {error}", proof.typ, proof.id)),
        }
    }
    Ok(Report { manifest, proofs, faults })
}

fn unzipped(pack: impl Read + Seek) -> Result<BTreeMap<String, Vec<u8>>> {
    let mut zip = ZipArchive::new(pack)?;
    let mut files = BTreeMap::new();
    for index in 0..zip.len() {
        let mut file = zip.by_index(index)?;
        let mut content = Vec::new();
        file.read_to_end(&mut content)?;
        let name = file.name()?.into_owned();
        if files.insert(name.clone(), content).is_some() {
            return Err(format!("{name} is in it twice").into());
        }
    }
    Ok(files)
}

fn keys(file: &Path) -> Result<PublicKeys> {
    let set: JwkSet = serde_json::from_slice(&std::fs::read(file)?)?;
    Ok(PublicKeys::new(set))
}

fn hex(content: &[u8]) -> String {
    Sha256::digest(content).iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Write as _};

    use bhiv_signing::Signer;
    use serde_json::json;
    use zip::ZipWriter;
    use zip::write::SimpleFileOptions;

    use super::*;

    fn signer() -> Signer {
        let dir = tempfile::tempdir().unwrap();
        let (private, public) = (dir.path().join("key.pem"), dir.path().join("jwks.json"));
        bhiv_auth::Keys::generate(&private, &public).unwrap();
        Signer::read(&private).unwrap()
    }

    fn public(signer: &Signer) -> JwkSet {
        JwkSet { keys: vec![signer.public().clone()] }
    }

    /// The files of a pack of two.
    fn files(signer: &Signer) -> BTreeMap<&'static str, String> {
        let receipt = signer.document("consent-receipt+jwt", &json!({"jti": "1"})).unwrap();
        let proofs = json!({"typ": "consent-receipt+jwt", "id": "1", "jws": receipt}).to_string();
        let consents = "{\"purpose\":\"contact\"}\n".to_owned();
        let listed = |name: &str, content: &str| json!({"name": name, "sha256": hex(content.as_bytes()), "bytes": content.len(), "records": 1});
        let manifest = json!({
            "iss": "Example Ltd", "jti": "1", "iat": 1, "created_by": "user/ravi",
            "start_date": "2027-01-01", "end_date": "2027-01-31", "created_at": "2027-02-01T00:00:00Z",
            "files": [listed("consents.ndjson", &consents), listed("proofs.ndjson", &proofs)],
        });
        BTreeMap::from([
            ("consents.ndjson", consents),
            ("proofs.ndjson", proofs),
            ("manifest.jws", signer.document(PACK, &manifest).unwrap()),
            ("keys.json", serde_json::to_string(&public(signer)).unwrap()),
        ])
    }

    fn zipped(files: &BTreeMap<&'static str, String>) -> Cursor<Vec<u8>> {
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, content) in files {
            zip.start_file(*name, SimpleFileOptions::default()).unwrap();
            zip.write_all(content.as_bytes()).unwrap();
        }
        zip.finish().unwrap()
    }

    fn faults(files: &BTreeMap<&'static str, String>) -> Vec<String> {
        check(zipped(files), None).unwrap().faults
    }

    #[test]
    fn a_whole_pack_has_no_faults() {
        let signer = signer();
        let files = files(&signer);
        let report = check(zipped(&files), Some(PublicKeys::new(public(&signer)))).unwrap();
        assert_eq!((report.faults, report.proofs), (Vec::new(), 1));
        assert_eq!(report.manifest.files.len() + 2, files.len(), "the manifest and the keys are not listed");
    }

    #[test]
    fn what_was_changed_removed_or_added_is_named() {
        let whole = files(&signer());
        let mut changed = whole.clone();
        changed.get_mut("consents.ndjson").unwrap().push('\n');
        assert_eq!(faults(&changed), ["consents.ndjson was changed"]);
        let mut removed = whole.clone();
        removed.remove("consents.ndjson");
        assert_eq!(faults(&removed), ["consents.ndjson is missing"]);
        let mut added = whole.clone();
        added.insert("more.ndjson", String::new());
        assert_eq!(faults(&added), ["more.ndjson was added"]);
    }

    #[test]
    fn another_signature_is_none() {
        let (ours, other) = (signer(), signer());
        let keys = || Some(PublicKeys::new(public(&ours)));
        let error = check(zipped(&files(&other)), keys()).unwrap_err().to_string();
        assert!(error.contains("not known"), "{error}");
        // A manifest of somebody else beside our keys.
        let mut mixed = files(&ours);
        mixed.insert("manifest.jws", files(&other)["manifest.jws"].clone());
        assert!(check(zipped(&mixed), None).is_err());
        // A receipt is no manifest.
        let mut receipt = files(&ours);
        let document = ours.document("consent-receipt+jwt", &json!({})).unwrap();
        receipt.insert("manifest.jws", document);
        assert!(check(zipped(&receipt), keys()).is_err());
        assert!(check(Cursor::new(b"no zip".to_vec()), None).is_err());
    }
}
