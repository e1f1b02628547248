//! What data about persons may be used for.

use bhiv_types::{Patch, Purpose};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Why data may be used at all (GDPR Article 6(1); DPDP Act sections 6 and 7).
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
pub enum LawfulBasis {
    /// The person agrees.
    #[default]
    Consent,
    /// A contract with the person needs it.
    Contract,
    /// A law demands it.
    LegalObligation,
    /// Somebody's life depends on it.
    VitalInterests,
    /// A public task needs it.
    PublicTask,
    /// It is in somebody's interest, and the person's weighs less.
    LegitimateInterests,
}

/// Some words, for example kinds of data.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(value_type = Vec<Word>, max_items = 50)]
pub struct Words(pub Vec<String>);

/// One of them. It documents [`Words`].
#[derive(ToSchema)]
#[schema(value_type = String, min_length = 1, max_length = 200)]
#[expect(dead_code, reason = "a schema only")]
pub struct Word(String);

/// A purpose is registered.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPurpose {
    /// Its id, a word that consents name.
    pub id: Purpose,
    /// What it is called.
    #[schema(min_length = 1, max_length = 200)]
    pub name: String,
    /// What it is, in plain words.
    #[schema(min_length = 1, max_length = 2000)]
    pub description: String,
    /// Why data may be used for it; consent, unless it says otherwise.
    #[serde(default)]
    pub lawful_basis: LawfulBasis,
    /// Which data about a person it needs.
    #[serde(default)]
    pub data_categories: Words,
    /// Who else gets it.
    #[serde(default)]
    pub recipients: Words,
    /// How many days a consent to it holds, unless it says otherwise; for ever, if there is no number.
    #[schema(minimum = 1, maximum = 36500)]
    pub valid_days: Option<i32>,
}

/// A purpose changes. What persons agreed to stays as it was: they agreed to its version of then.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PurposeChange {
    /// What it is called.
    #[schema(min_length = 1, max_length = 200)]
    pub name: Option<String>,
    /// What it is, in plain words.
    #[schema(min_length = 1, max_length = 2000)]
    pub description: Option<String>,
    /// Why data may be used for it.
    pub lawful_basis: Option<LawfulBasis>,
    /// Which data about a person it needs.
    pub data_categories: Option<Words>,
    /// Who else gets it.
    pub recipients: Option<Words>,
    /// How many days a consent to it holds; null for ever.
    #[serde(default)]
    #[schema(value_type = Option<i32>, minimum = 1, maximum = 36500)]
    pub valid_days: Patch<i32>,
    /// Whether it can be agreed to. It can always be withdrawn from.
    pub enabled: Option<bool>,
}
