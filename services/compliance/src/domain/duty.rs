//! What the law wants done within a time.

use bhiv_types::State;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::erasure::Names;
use super::regime::Regime;

/// What is to be done.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, strum::Display, strum::EnumString,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum DutyKind {
    /// A person wants to know what is known of them (GDPR Article 15; DPDP Act section 11).
    Access,
    /// A person wants to be forgotten (GDPR Article 17; DPDP Act section 12).
    Erasure,
    /// A person wants something put right (GDPR Article 16; DPDP Act section 12).
    Correction,
    /// A person wants to take their data elsewhere (GDPR Article 20).
    Portability,
    /// A breach is to be reported (GDPR Article 33; DPDP Rules 7).
    BreachReport,
}

/// What a person asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RequestKind {
    /// To know what is known of them.
    Access,
    /// To be forgotten: an erasure begins.
    Erasure,
    /// To have something put right.
    Correction,
    /// To take their data elsewhere.
    Portability,
}

impl From<RequestKind> for DutyKind {
    fn from(kind: RequestKind) -> Self {
        match kind {
            RequestKind::Access => Self::Access,
            RequestKind::Erasure => Self::Erasure,
            RequestKind::Correction => Self::Correction,
            RequestKind::Portability => Self::Portability,
        }
    }
}

/// How far a duty is.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, strum::Display, strum::EnumString,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum DutyStatus {
    /// Nobody has begun.
    Open,
    /// Somebody has.
    InProgress,
    /// It was done.
    Fulfilled,
    /// It was not done, and need not be.
    Refused,
}

impl State for DutyStatus {
    const TRANSITIONS: &'static [(Self, &'static [Self])] = &[
        (Self::Open, &[Self::InProgress, Self::Fulfilled, Self::Refused]),
        (Self::InProgress, &[Self::Fulfilled, Self::Refused]),
        (Self::Fulfilled, &[]),
        (Self::Refused, &[]),
    ];
}

/// A person asks for something.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewRequest {
    /// What for.
    pub kind: RequestKind,
    /// Who, for example `lead/0190...`.
    #[schema(min_length = 1, max_length = 200)]
    pub subject: String,
    /// For an erasure: what else the person is known as.
    #[serde(default)]
    pub also: Names,
    /// The law; without it, that of the settings.
    pub regime: Option<Regime>,
    /// What they said, in words.
    #[schema(min_length = 1, max_length = 5000)]
    pub details: Option<String>,
    /// When it was received: now, unless it says otherwise.
    pub received_at: Option<DateTime<Utc>>,
}

/// Data of persons got where it should not.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewBreach {
    /// What happened, in words.
    #[schema(min_length = 1, max_length = 5000)]
    pub details: String,
    /// When it became known: now, unless it says otherwise. It is to be reported within 72 hours.
    pub discovered_at: Option<DateTime<Utc>>,
    /// How many persons it is about, as far as is known.
    #[schema(minimum = 0)]
    pub affected: Option<i64>,
    /// The law; without it, that of the settings.
    pub regime: Option<Regime>,
}

/// Something is done about a duty.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DutyChange {
    /// How far it is now.
    pub status: Option<DutyStatus>,
    /// What was done, in words: it is kept as evidence. Whoever closes a duty says it.
    #[schema(min_length = 1, max_length = 2000)]
    pub note: Option<String>,
    /// Where that can be seen, for example the number of a letter.
    #[schema(min_length = 1, max_length = 500)]
    pub reference: Option<String>,
    /// Why more time is needed, in words. Requests of persons may take two more months under the GDPR, once, when the
    /// person is told within the first (Article 12(3)).
    #[schema(min_length = 1, max_length = 2000)]
    pub extend: Option<String>,
}
