use bhiv_types::{Patch, Priority, State};
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::ids::{CourierId, OrderId};
use super::location::Location;
use super::order::OrderStatus;
use super::window::Window;

/// Where a delivery stands.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, strum::Display, strum::EnumString,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum DeliveryStatus {
    /// It has a date.
    Scheduled,
    /// It has left the warehouse.
    InTransit,
    /// It will not arrive when it was promised.
    Delayed,
    /// It arrived.
    Delivered,
    /// It could not be handed over.
    Failed,
}

impl State for DeliveryStatus {
    const TRANSITIONS: &'static [(Self, &'static [Self])] = &[
        (Self::Scheduled, &[Self::InTransit, Self::Delayed, Self::Failed]),
        (Self::InTransit, &[Self::Delayed, Self::Delivered, Self::Failed]),
        (Self::Delayed, &[Self::InTransit, Self::Delivered, Self::Failed]),
        (Self::Delivered, &[]),
        (Self::Failed, &[]),
    ];
}

impl DeliveryStatus {
    /// Where a delivery that comes here takes its order along.
    pub fn takes_order_to(self) -> Option<OrderStatus> {
        match self {
            Self::InTransit => Some(OrderStatus::Dispatched),
            Self::Delivered => Some(OrderStatus::Delivered),
            Self::Scheduled | Self::Delayed | Self::Failed => None,
        }
    }
}

/// The first day that is not over everywhere on Earth: what was promised for an earlier one is late. A day is that of
/// the place where a delivery goes, which nobody has told; it ends last at UTC-12.
pub fn first_in_time(now: DateTime<Utc>) -> NaiveDate {
    (now - TimeDelta::hours(12)).date_naive()
}

/// What is known when a delivery is scheduled.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewDelivery {
    /// The order that it delivers.
    pub order_id: OrderId,
    /// The day promised, not before today (UTC).
    pub delivery_date: NaiveDate,
    /// Between which hours of that day.
    pub window: Option<Window>,
    /// Where it goes, in words.
    #[schema(min_length = 1, max_length = 500)]
    pub address: String,
    /// Where it goes, on the map.
    pub location: Option<Location>,
    /// What the driver should know.
    #[schema(min_length = 1, max_length = 1000)]
    pub special_instructions: Option<String>,
    /// The order's, unless it says otherwise.
    pub priority: Option<Priority>,
    /// How much of a courier's capacity it takes; 1, unless it says otherwise.
    #[schema(minimum = 1, maximum = 1_000_000)]
    pub load: Option<i32>,
}

/// What may be changed about a delivery that is not over. Absent fields stay, `null` clears.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DeliveryChange {
    /// The day promised, not before today (UTC).
    pub delivery_date: Option<NaiveDate>,
    /// Between which hours of that day.
    #[serde(default)]
    #[schema(value_type = Option<Window>)]
    pub window: Patch<Window>,
    /// Where it goes, in words.
    #[schema(min_length = 1, max_length = 500)]
    pub address: Option<String>,
    /// Where it goes, on the map.
    #[serde(default)]
    #[schema(value_type = Option<Location>)]
    pub location: Patch<Location>,
    /// What the driver should know.
    #[serde(default)]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 1000)]
    pub special_instructions: Patch<String>,
    /// How urgent it is.
    pub priority: Option<Priority>,
    /// How much of a courier's capacity it takes.
    #[schema(minimum = 1, maximum = 1_000_000)]
    pub load: Option<i32>,
    /// Who brings it.
    #[serde(default)]
    #[schema(value_type = Option<CourierId>)]
    pub courier_id: Patch<CourierId>,
}

/// Where a delivery is moved.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DeliveryMove {
    /// The next status.
    pub status: DeliveryStatus,
    /// Why.
    #[schema(min_length = 1, max_length = 500)]
    pub reason: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_over_when_it_is_over_everywhere() {
        let first = |time: &str| first_in_time(time.parse().unwrap()).to_string();
        assert_eq!(first("2027-01-16T11:59:59Z"), "2027-01-15");
        assert_eq!(first("2027-01-16T12:00:00Z"), "2027-01-16");
    }

    #[test]
    fn what_is_late_can_still_arrive() {
        assert!(DeliveryStatus::Scheduled.become_(DeliveryStatus::Delivered).is_err());
        for next in [DeliveryStatus::InTransit, DeliveryStatus::Delivered, DeliveryStatus::Failed] {
            assert_eq!(DeliveryStatus::Delayed.become_(next), Ok(next));
        }
        assert!(DeliveryStatus::Delivered.is_final() && DeliveryStatus::Failed.is_final());
    }
}
