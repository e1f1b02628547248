use serde::Deserialize;
use utoipa::ToSchema;

/// A person may not be erased until it is released.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewHold {
    /// Who, for example `lead/0190...`.
    #[schema(min_length = 1, max_length = 200)]
    pub subject: String,
    /// Why, in words, for example the case at court.
    #[schema(min_length = 1, max_length = 1000)]
    pub reason: String,
}
