use bhiv_types::{Amount, Currency, Patch};
use serde::Deserialize;
use utoipa::ToSchema;

use super::ids::SupplierId;

/// What is known of a product.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewProduct {
    /// Stock keeping unit: what orders and stock call it.
    #[schema(min_length = 1, max_length = 100)]
    pub sku: String,
    /// Its name.
    #[schema(min_length = 1, max_length = 200)]
    pub name: String,
    /// What one is, for example `piece` or `kg`.
    #[schema(min_length = 1, max_length = 40)]
    pub unit: Option<String>,
    /// What one costs, in `currency`.
    pub price: Option<Amount>,
    /// `INR`, unless it says otherwise.
    #[serde(default)]
    pub currency: Currency,
    /// From whom it is ordered again when it runs low.
    pub supplier_id: Option<SupplierId>,
    /// How many are ordered then; without it nothing is ordered by itself.
    #[schema(minimum = 1, maximum = 1_000_000_000_000_i64)]
    pub reorder_quantity: Option<i64>,
}

/// What may be changed about a product. Absent fields stay, `null` clears.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProductChange {
    /// Its name.
    #[schema(min_length = 1, max_length = 200)]
    pub name: Option<String>,
    /// What one is.
    #[serde(default)]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 40)]
    pub unit: Patch<String>,
    /// What one costs.
    #[serde(default)]
    #[schema(value_type = Option<Amount>)]
    pub price: Patch<Amount>,
    /// Whether it is sold.
    pub active: Option<bool>,
    /// From whom it is ordered again.
    #[serde(default)]
    #[schema(value_type = Option<SupplierId>)]
    pub supplier_id: Patch<SupplierId>,
    /// How many are ordered then.
    #[serde(default)]
    #[schema(value_type = Option<i64>, minimum = 1, maximum = 1_000_000_000_000_i64)]
    pub reorder_quantity: Patch<i64>,
}
