use bhiv_types::{Email, Patch};
use serde::Deserialize;
use utoipa::ToSchema;

/// What is known of a supplier.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewSupplier {
    /// Its name.
    #[schema(min_length = 1, max_length = 200)]
    pub name: String,
    /// Where orders go.
    pub email: Option<Email>,
    /// Its phone number.
    #[schema(min_length = 3, max_length = 40)]
    pub phone: Option<String>,
    /// How many days it takes until what is ordered comes; 0, unless it says otherwise.
    #[serde(default)]
    #[schema(minimum = 0, maximum = 1000)]
    pub lead_time_days: i32,
}

/// What may be changed about a supplier. Absent fields stay, `null` clears.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SupplierChange {
    /// Its name.
    #[schema(min_length = 1, max_length = 200)]
    pub name: Option<String>,
    /// Where orders go.
    #[serde(default)]
    #[schema(value_type = Option<Email>)]
    pub email: Patch<Email>,
    /// Its phone number.
    #[serde(default)]
    #[schema(value_type = Option<String>, min_length = 3, max_length = 40)]
    pub phone: Patch<String>,
    /// How many days it takes until what is ordered comes.
    #[schema(minimum = 0, maximum = 1000)]
    pub lead_time_days: Option<i32>,
    /// Whether we buy there.
    pub active: Option<bool>,
}
