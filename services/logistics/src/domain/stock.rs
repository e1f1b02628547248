use serde::Deserialize;
use utoipa::ToSchema;

/// More than this is a typing error. It also keeps sums far from the end of the numbers.
pub const MOST: i64 = 1_000_000_000_000;

/// Whether what can still be promised should be ordered again.
pub fn is_low(available: i64, reorder_level: i64) -> bool {
    available <= reorder_level
}

/// What is known when a product is first kept at a location.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewStock {
    /// The product.
    #[schema(min_length = 1, max_length = 100)]
    pub product_id: String,
    /// Where it is kept.
    #[schema(min_length = 1, max_length = 100)]
    pub location: String,
    /// How many are there.
    #[schema(minimum = 0, maximum = 1_000_000_000_000_i64)]
    pub on_hand: i64,
    /// At how many it should be ordered again; 0, unless it says otherwise.
    #[serde(default)]
    #[schema(minimum = 0, maximum = 1_000_000_000_000_i64)]
    pub reorder_level: i64,
}

/// What may be changed about stock. Absent fields stay.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StockChange {
    /// How many came, or, below zero, went.
    #[schema(minimum = -1_000_000_000_000_i64, maximum = 1_000_000_000_000_i64)]
    pub adjust: Option<i64>,
    /// At how many it should be ordered again.
    #[schema(minimum = 0, maximum = 1_000_000_000_000_i64)]
    pub reorder_level: Option<i64>,
    /// Why.
    #[schema(min_length = 1, max_length = 500)]
    pub reason: Option<String>,
}

/// What is brought to another location.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewTransfer {
    /// Where it goes.
    #[schema(min_length = 1, max_length = 100)]
    pub location: String,
    /// How many.
    #[schema(minimum = 1, maximum = 1_000_000_000_000_i64)]
    pub quantity: i64,
    /// Why.
    #[schema(min_length = 1, max_length = 500)]
    pub reason: Option<String>,
}
