//! A record of consent after ISO/IEC TS 27560:2023, with the fields that are known here.

use bhiv_types::Purpose;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::consent::ConsentState;
use super::purpose::{LawfulBasis, Words};
use super::regime::Regime;

/// The standard that receipts keep to.
pub const SCHEMA_VERSION: &str = "ISO/IEC TS 27560:2023";

/// What a person said to a purpose, once, as they are told of it: the content of a signed document.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Receipt {
    /// Who says so.
    pub iss: String,
    /// Id of the receipt: that of the record.
    pub jti: Uuid,
    /// When it was recorded, in seconds since 1970.
    pub iat: i64,
    /// The standard that it keeps to.
    pub schema_version: String,
    /// The record.
    pub record_id: Uuid,
    /// The consent that it belongs to: the same for everything that this person says to this purpose.
    pub consent_id: Uuid,
    /// 1 for what the person said first, and one more each time.
    pub consent_version: i64,
    /// Who said it, for example `lead/0190...`.
    pub pii_principal_id: String,
    /// Who is responsible for the data.
    pub pii_controllers: Vec<String>,
    /// What it was said to, as it was then.
    pub purposes: Vec<ReceiptPurpose>,
    /// What the person was shown, if it is known.
    pub privacy_notice: Option<ReceiptNotice>,
    /// What was said.
    pub event: ReceiptEvent,
    /// The law that it comes under.
    pub jurisdiction: Regime,
    /// How consent is withdrawn.
    pub withdrawal_method: String,
}

/// A purpose, as it was when the person spoke.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ReceiptPurpose {
    /// Its id.
    pub purpose: Purpose,
    /// Its version of then; null in records of before there was a registry, which show the first.
    pub version: Option<i64>,
    /// What it is called.
    pub name: String,
    /// What it is.
    pub description: String,
    /// Why data may be used for it.
    pub lawful_basis: LawfulBasis,
    /// Which data it needs.
    pub pii_types: Words,
    /// Who else gets it.
    pub recipient_third_parties: Words,
}

/// The notice that the person was shown.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ReceiptNotice {
    /// Its version.
    pub version: String,
    /// Its texts, by language: SHA-256 in hexadecimal digits. None, if it was of before there was a registry.
    pub texts: Vec<ReceiptText>,
}

/// A text of a notice.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ReceiptText {
    /// Id of the notice.
    pub notice_id: Uuid,
    /// Its language (BCP 47).
    pub language: String,
    /// SHA-256 of its text in UTF-8, in hexadecimal digits.
    pub sha256: String,
}

/// What was said, and when.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ReceiptEvent {
    /// When it was recorded.
    pub event_time: DateTime<Utc>,
    /// Until when it holds; null if for ever.
    pub expires_at: Option<DateTime<Utc>>,
    /// What was said.
    pub event_state: ConsentState,
    /// Who recorded it.
    pub entity_id: String,
    /// The event of this system that it was learned from, if it was.
    pub source_event: Option<Uuid>,
}
