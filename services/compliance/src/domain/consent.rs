use bhiv_events::{ConsentApplied, Producer};
use bhiv_types::Purpose;
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::openapi::schema::{ObjectBuilder, SchemaType, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

/// The modules that act by what persons say, by their names.
pub fn acting() -> impl Iterator<Item = &'static str> {
    ConsentApplied::PRODUCERS.into_iter().map(Producer::prefix)
}

/// What a person said to a purpose.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, strum::Display, strum::EnumString,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum ConsentState {
    /// Yes.
    Granted,
    /// No, and never yes.
    Refused,
    /// Not any more.
    Withdrawn,
    /// Not any more: its time is over.
    Expired,
}

impl ConsentState {
    /// What a no makes of what was said before. Who withdrew and says no again has still withdrawn.
    pub fn revoked(before: Option<Self>) -> Self {
        match before {
            Some(Self::Granted | Self::Withdrawn | Self::Expired) => Self::Withdrawn,
            Some(Self::Refused) | None => Self::Refused,
        }
    }
}

/// What shows that a person said it: a text or a document of any shape.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Evidence(pub Value);

impl ToSchema for Evidence {}

impl PartialSchema for Evidence {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(SchemaType::from_iter([Type::String, Type::Object]))
            .description(Some("What shows that a person said it: a text or a document of any shape."))
            .into()
    }
}

/// A person agrees to a purpose.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Grant {
    /// Who agrees, for example `lead/0190...`.
    #[schema(min_length = 1, max_length = 200)]
    pub subject: String,
    /// What to.
    pub purpose: Purpose,
    /// The notice that they were shown.
    #[schema(min_length = 1, max_length = 100)]
    pub notice_version: Option<String>,
    /// Until when they agree; without it, for as long as the purpose says.
    pub expires_at: Option<DateTime<Utc>>,
    /// What shows it.
    pub evidence: Option<Evidence>,
}

/// Until when a consent holds that is given now: the earlier of what the person says and what the purpose says.
pub fn expiry(
    said: Option<DateTime<Utc>>,
    valid_days: Option<i32>,
    now: DateTime<Utc>,
) -> Option<DateTime<Utc>> {
    let valid = valid_days.and_then(|days| now.checked_add_signed(TimeDelta::days(days.into())));
    [said, valid].into_iter().flatten().min()
}

/// A person withdraws or refuses consent to a purpose.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Revocation {
    /// Who says no, for example `lead/0190...`.
    #[schema(min_length = 1, max_length = 200)]
    pub subject: String,
    /// What to.
    pub purpose: Purpose,
    /// What shows it.
    pub evidence: Option<Evidence>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_no_withdraws_what_was_once_granted_and_refuses_what_never_was() {
        use ConsentState::{Expired, Granted, Refused, Withdrawn};
        for (before, after) in [
            (None, Refused),
            (Some(Refused), Refused),
            (Some(Granted), Withdrawn),
            (Some(Withdrawn), Withdrawn),
            (Some(Expired), Withdrawn),
        ] {
            assert_eq!(ConsentState::revoked(before), after, "{before:?}");
        }
    }

    #[test]
    fn the_earlier_end_counts() {
        let now = DateTime::UNIX_EPOCH;
        let day = |days| now + TimeDelta::days(days);
        assert_eq!(expiry(None, None, now), None);
        assert_eq!(expiry(Some(day(9)), None, now), Some(day(9)));
        assert_eq!(expiry(None, Some(5), now), Some(day(5)));
        assert_eq!(expiry(Some(day(9)), Some(5), now), Some(day(5)));
        assert_eq!(expiry(Some(day(2)), Some(5), now), Some(day(2)));
    }
}
