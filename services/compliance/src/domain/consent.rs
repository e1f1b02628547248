use bhiv_types::Purpose;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::openapi::schema::{ObjectBuilder, SchemaType, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

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
}

impl ConsentState {
    /// What a no makes of what was said before. Who withdrew and says no again has still withdrawn.
    pub fn revoked(before: Option<Self>) -> Self {
        match before {
            Some(Self::Granted | Self::Withdrawn) => Self::Withdrawn,
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
    /// What shows it.
    pub evidence: Option<Evidence>,
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
        use ConsentState::{Granted, Refused, Withdrawn};
        for (before, after) in [
            (None, Refused),
            (Some(Refused), Refused),
            (Some(Granted), Withdrawn),
            (Some(Withdrawn), Withdrawn),
        ] {
            assert_eq!(ConsentState::revoked(before), after, "{before:?}");
        }
    }
}
