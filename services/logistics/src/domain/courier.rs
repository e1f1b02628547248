use bhiv_types::{Amount, Patch};
use serde::Deserialize;
use utoipa::ToSchema;

use super::window::Window;

/// What is known of a courier.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewCourier {
    /// Their name.
    #[schema(min_length = 1, max_length = 200)]
    pub name: String,
    /// Their phone number.
    #[schema(min_length = 3, max_length = 40)]
    pub phone: Option<String>,
    /// How much they can load, in the unit of the deliveries' `load`.
    #[schema(minimum = 1, maximum = 1_000_000)]
    pub capacity: i32,
    /// Between which hours they bring things, in the time of the place.
    pub shift: Window,
    /// What a kilometre costs, in one currency for all couriers; 0, unless it says otherwise.
    pub cost_per_km: Option<Amount>,
    /// What an hour costs, in the same; 0, unless it says otherwise.
    pub cost_per_hour: Option<Amount>,
}

/// What may be changed about a courier. Absent fields stay, `null` clears.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CourierChange {
    /// Their name.
    #[schema(min_length = 1, max_length = 200)]
    pub name: Option<String>,
    /// Their phone number.
    #[serde(default)]
    #[schema(value_type = Option<String>, min_length = 3, max_length = 40)]
    pub phone: Patch<String>,
    /// How much they can load.
    #[schema(minimum = 1, maximum = 1_000_000)]
    pub capacity: Option<i32>,
    /// Between which hours they bring things.
    pub shift: Option<Window>,
    /// What a kilometre costs.
    pub cost_per_km: Option<Amount>,
    /// What an hour costs.
    pub cost_per_hour: Option<Amount>,
    /// Whether they are planned.
    pub active: Option<bool>,
}
