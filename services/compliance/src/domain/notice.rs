use bhiv_types::Purpose;
use chrono::{DateTime, Utc};
use serde::Deserialize;
use utoipa::ToSchema;

/// What persons are shown before they agree to a purpose. It cannot be changed, only followed by another version.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewNotice {
    /// The purpose that it is about.
    pub purpose: Purpose,
    /// Its version, for example `2027-01`. The same version may be there in several languages.
    #[schema(min_length = 1, max_length = 100)]
    pub version: String,
    /// The language of the text (BCP 47), for example `en` or `hi-IN`.
    #[schema(pattern = "^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$")]
    pub language: String,
    /// What is shown.
    #[schema(min_length = 1, max_length = 50000)]
    pub text: String,
    /// From when on it can be agreed to; at once, unless it says otherwise.
    pub valid_from: Option<DateTime<Utc>>,
}
