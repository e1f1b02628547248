//! Evidence of a period: files, and a signed manifest that says what they are.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::digest::sha256;

/// The days that a pack is to be about.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPack {
    /// The first day, UTC.
    pub start_date: NaiveDate,
    /// The last day, UTC; at most a year after the first.
    pub end_date: NaiveDate,
}

/// What a file of a pack is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PackFile {
    /// Its name.
    pub name: String,
    /// SHA-256 of its content, in hexadecimal digits.
    pub sha256: String,
    /// How long it is.
    pub bytes: u64,
    /// How many records it has.
    pub records: u64,
}

/// The files of a pack.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PackFiles(pub Vec<PackFile>);

/// What a pack says of itself: the content of a signed document of the type `evidence-pack+jwt`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Manifest {
    /// Who says so.
    pub iss: String,
    /// Id of the pack.
    pub jti: Uuid,
    /// When it was made, in seconds since 1970.
    pub iat: i64,
    /// The first day that it is about, UTC.
    pub start_date: NaiveDate,
    /// The last day, UTC.
    pub end_date: NaiveDate,
    /// Who had it made.
    pub created_by: String,
    /// When.
    pub created_at: DateTime<Utc>,
    /// What its files are.
    pub files: PackFiles,
}

/// A file of a pack, with its content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Content {
    /// Its name.
    pub name: String,
    /// What it says.
    pub text: String,
    /// How many records it has.
    pub records: u64,
}

impl Content {
    /// A JSON object a line.
    ///
    /// # Errors
    /// When a record has no form in JSON.
    pub fn lines(name: &str, records: &[impl Serialize]) -> Result<Self, serde_json::Error> {
        let mut text = String::new();
        for record in records {
            text.push_str(&serde_json::to_string(record)?);
            text.push('\n');
        }
        Ok(Self { name: name.to_owned(), text, records: u64::try_from(records.len()).unwrap_or(u64::MAX) })
    }

    /// What it is.
    pub fn described(&self) -> PackFile {
        PackFile {
            name: self.name.clone(),
            sha256: sha256(self.text.as_bytes()),
            bytes: u64::try_from(self.text.len()).unwrap_or(u64::MAX),
            records: self.records,
        }
    }
}
