//! What happens to a delivery on its way, and what shows that it arrived.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::delivery::DeliveryStatus;
use super::location::Location;

/// How many proofs a delivery may have.
pub const MOST_PROOFS: usize = 10;

/// What happened.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, strum::Display, strum::EnumString,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum TrackingKind {
    /// It got a date.
    Scheduled,
    /// It left the warehouse.
    InTransit,
    /// It will not arrive when it was promised.
    Delayed,
    /// It arrived.
    Delivered,
    /// It could not be handed over.
    Failed,
    /// Somebody took it.
    PickedUp,
    /// It came to a place on its way.
    ArrivedAtHub,
    /// It left such a place.
    LeftHub,
    /// It comes today.
    OutForDelivery,
    /// Nobody was there.
    Attempted,
}

impl From<DeliveryStatus> for TrackingKind {
    fn from(status: DeliveryStatus) -> Self {
        match status {
            DeliveryStatus::Scheduled => Self::Scheduled,
            DeliveryStatus::InTransit => Self::InTransit,
            DeliveryStatus::Delayed => Self::Delayed,
            DeliveryStatus::Delivered => Self::Delivered,
            DeliveryStatus::Failed => Self::Failed,
        }
    }
}

/// What can be seen on the way. What the delivery's status says is noted with its move.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Scan {
    /// Somebody took it.
    PickedUp,
    /// It came to a place on its way.
    ArrivedAtHub,
    /// It left such a place.
    LeftHub,
    /// It comes today.
    OutForDelivery,
    /// Nobody was there.
    Attempted,
}

impl From<Scan> for TrackingKind {
    fn from(scan: Scan) -> Self {
        match scan {
            Scan::PickedUp => Self::PickedUp,
            Scan::ArrivedAtHub => Self::ArrivedAtHub,
            Scan::LeftHub => Self::LeftHub,
            Scan::OutForDelivery => Self::OutForDelivery,
            Scan::Attempted => Self::Attempted,
        }
    }
}

/// Something that was seen on the way.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewScan {
    /// What happened.
    pub kind: Scan,
    /// When, not in the future; now, unless it says otherwise.
    pub at: Option<DateTime<Utc>>,
    /// Where, in words.
    #[schema(min_length = 1, max_length = 200)]
    pub place: Option<String>,
    /// Where, on the map.
    pub location: Option<Location>,
    /// What else is to be said.
    #[schema(min_length = 1, max_length = 1000)]
    pub note: Option<String>,
}

/// What a proof shows.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, strum::Display, strum::EnumString,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum ProofKind {
    /// What was handed over, and where.
    Photo,
    /// Who took it.
    Signature,
}
