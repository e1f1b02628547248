use bhiv_types::{Patch, Priority, State};
use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::ids::{CourierId, OrderId};
use super::location::Location;
use super::order::OrderStatus;
use super::timezone::Timezone;
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

/// When what was promised for `day` is late: from the end of the window on, or of the day, by the clocks of the place
/// where it goes. Where nobody has told which those are, by the last ones on Earth, at UTC-12.
pub fn promised_until(day: NaiveDate, window: Option<Window>, timezone: Option<Timezone>) -> DateTime<Utc> {
    let midnight = day.and_time(NaiveTime::MIN) + TimeDelta::days(1);
    let end = window.map_or(midnight, |window| day.and_time(window.to));
    timezone.map_or_else(|| end.and_utc() + TimeDelta::hours(12), |timezone| timezone.last(end))
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
    /// By whose clocks day and window count: those of the place where it goes. Without it, it is late once it would
    /// be so everywhere.
    pub timezone: Option<Timezone>,
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
    /// By whose clocks day and window count.
    #[serde(default)]
    #[schema(value_type = Option<Timezone>)]
    pub timezone: Patch<Timezone>,
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
    fn a_promise_ends_with_its_window_where_it_goes() {
        let day = "2027-01-15".parse().unwrap();
        let window = serde_json::from_str(r#"{"from": "10:00", "to": "12:00"}"#).unwrap();
        let india = Some("Asia/Kolkata".parse().unwrap());
        let until = |window, timezone| promised_until(day, window, timezone).to_rfc3339();
        assert_eq!(until(None, None), "2027-01-16T12:00:00+00:00", "when it is over everywhere");
        assert_eq!(until(Some(window), None), "2027-01-16T00:00:00+00:00");
        assert_eq!(until(None, india), "2027-01-15T18:30:00+00:00");
        assert_eq!(until(Some(window), india), "2027-01-15T06:30:00+00:00");
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
