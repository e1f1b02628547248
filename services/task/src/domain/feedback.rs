use bhiv_types::Patch;
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

/// What a customer says about an order.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewFeedback {
    /// The order.
    pub order_id: Uuid,
    /// 1, very bad, to 5, very good.
    #[schema(minimum = 1, maximum = 5)]
    pub rating: i16,
    /// In the customer's words.
    #[schema(min_length = 1, max_length = 4000)]
    pub comment: Option<String>,
    /// What it is about, for example `speed`.
    #[serde(default)]
    #[schema(max_items = 20)]
    pub categories: Vec<String>,
}

/// What the customer may change about it. Absent fields stay, `null` clears.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FeedbackChange {
    /// 1, very bad, to 5, very good.
    #[schema(minimum = 1, maximum = 5)]
    pub rating: Option<i16>,
    /// In the customer's words.
    #[serde(default)]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 4000)]
    pub comment: Patch<String>,
    /// What it is about.
    #[schema(max_items = 20)]
    pub categories: Option<Vec<String>>,
}
