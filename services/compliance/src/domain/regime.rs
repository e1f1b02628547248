use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The law that a person's rights come from.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    Serialize,
    Deserialize,
    ToSchema,
    strum::Display,
    strum::EnumString,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Regime {
    /// The European Union's Regulation 2016/679.
    #[default]
    Gdpr,
    /// India's Digital Personal Data Protection Act, 2023, and the Rules, 2025.
    Dpdp,
}

impl Regime {
    /// How long before an erasure it is announced: under the DPDP Rules (8) 48 hours, in which it can be called off.
    pub fn erasure_notice(self) -> TimeDelta {
        match self {
            Self::Gdpr => TimeDelta::zero(),
            Self::Dpdp => TimeDelta::hours(48),
        }
    }
}
