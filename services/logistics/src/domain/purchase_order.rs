use bhiv_types::State;
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::ids::SupplierId;

/// Where an order to a supplier stands.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, strum::Display, strum::EnumString,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum PurchaseStatus {
    /// Nobody has sent it yet.
    Draft,
    /// The supplier has it.
    Sent,
    /// Some of it has come.
    PartiallyReceived,
    /// All of it has come.
    Received,
    /// What has not come is not wanted any more.
    Cancelled,
}

impl State for PurchaseStatus {
    const TRANSITIONS: &'static [(Self, &'static [Self])] = &[
        (Self::Draft, &[Self::Sent, Self::Cancelled]),
        (Self::Sent, &[Self::PartiallyReceived, Self::Received, Self::Cancelled]),
        (Self::PartiallyReceived, &[Self::Received, Self::Cancelled]),
        (Self::Received, &[]),
        (Self::Cancelled, &[]),
    ];
}

/// What is ordered from a supplier.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPurchaseOrder {
    /// From whom.
    pub supplier_id: SupplierId,
    /// What.
    #[schema(min_length = 1, max_length = 100)]
    pub sku: String,
    /// Where it is to be kept.
    #[schema(min_length = 1, max_length = 100)]
    pub location: String,
    /// How many.
    #[schema(minimum = 1, maximum = 1_000_000_000_000_i64)]
    pub quantity: i64,
    /// When it should come; after the supplier's usual time, unless it says otherwise.
    pub expected_on: Option<NaiveDate>,
}

/// Where an order to a supplier is moved: `sent` or `cancelled`; what comes moves it further.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PurchaseMove {
    /// The next status.
    pub status: PurchaseStatus,
}

/// What has come.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Receipt {
    /// How many.
    #[schema(minimum = 1, maximum = 1_000_000_000_000_i64)]
    pub quantity: i64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_comes_that_was_not_sent_for() {
        assert!(PurchaseStatus::Draft.become_(PurchaseStatus::Received).is_err());
        assert!(PurchaseStatus::PartiallyReceived.become_(PurchaseStatus::Cancelled).is_ok());
        assert!(PurchaseStatus::Received.is_final());
    }
}
