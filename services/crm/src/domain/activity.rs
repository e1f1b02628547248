use std::str::FromStr;

use bhiv_types::{Invalid, Patch};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};
use uuid::Uuid;

/// What people note. Other modules tell more kinds: `order`, `task`, `delivery`, `feedback`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema, strum::Display)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum NoteKind {
    /// Something to remember.
    Note,
    /// A call.
    Call,
    /// An e-mail.
    Email,
    /// A meeting.
    Meeting,
}

/// A record that activities are about: `lead/<id>`, `opportunity/<id>`, `account/<id>` or `contact/<id>`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Subject {
    /// Which table.
    pub kind: SubjectKind,
    /// Which row.
    pub id: Uuid,
}

/// What an activity can be about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::Display, strum::EnumString)]
#[strum(serialize_all = "snake_case")]
pub enum SubjectKind {
    Lead,
    Opportunity,
    Account,
    Contact,
}

impl FromStr for Subject {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let parts = text.split_once('/');
        let parsed = parts.and_then(|(kind, id)| Some((kind.parse().ok()?, Uuid::try_parse(id).ok()?)));
        let (kind, id) = parsed.ok_or_else(|| {
            Invalid("must be lead/<id>, opportunity/<id>, account/<id> or contact/<id>".to_owned())
        })?;
        Ok(Self { kind, id })
    }
}

impl TryFrom<String> for Subject {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        text.parse()
    }
}

impl From<Subject> for String {
    fn from(subject: Subject) -> Self {
        subject.to_string()
    }
}

impl std::fmt::Display for Subject {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.kind, self.id)
    }
}

impl ToSchema for Subject {}

impl PartialSchema for Subject {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .pattern(Some("^(lead|opportunity|account|contact)/[0-9a-f-]{36}$"))
            .into()
    }
}

/// What somebody notes about a record.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewNote {
    /// What it is about.
    pub entity: Subject,
    /// What it was.
    pub kind: NoteKind,
    /// In a line.
    #[schema(min_length = 1, max_length = 500)]
    pub summary: String,
    /// At length.
    #[schema(min_length = 1, max_length = 10000)]
    pub body: Option<String>,
    /// When it is to be done, if it is still to be done.
    pub due_at: Option<DateTime<Utc>>,
}

/// What may be changed about a note. Absent fields stay, `null` clears.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NoteChange {
    /// In a line.
    #[schema(min_length = 1, max_length = 500)]
    pub summary: Option<String>,
    /// At length.
    #[serde(default)]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 10000)]
    pub body: Patch<String>,
    /// When it is to be done.
    #[serde(default)]
    #[schema(value_type = Option<DateTime<Utc>>)]
    pub due_at: Patch<DateTime<Utc>>,
    /// Whether it is done.
    pub done: Option<bool>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_is_a_record_of_ours() {
        let text = "lead/0190aaaa-0000-7000-8000-000000000001";
        assert_eq!(text.parse::<Subject>().unwrap().to_string(), text);
        for bad in ["lead", "lead/7", "order/0190aaaa-0000-7000-8000-000000000001", "/", ""] {
            assert!(bad.parse::<Subject>().is_err(), "{bad}");
        }
    }
}
