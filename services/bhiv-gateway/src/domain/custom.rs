use bhiv_types::Priority;
use serde::Deserialize;
use serde_json::{Map, Value};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use super::webhook::TEST_EVENT;

/// An event of a kind that a client makes up.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewCustom {
    /// What happened.
    pub event_type: CustomType,
    /// Whatever there is to say about it.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub payload: Map<String, Value>,
    /// How urgent it is.
    #[serde(default)]
    pub priority: Priority,
}

/// What a client calls a kind of event of its own: no name of the catalogue, so that nobody takes it for one of the
/// system's.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct CustomType(String);

impl CustomType {
    /// The name.
    pub fn name(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for CustomType {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        if bhiv_events::is_reserved(&name) || TEST_EVENT.eq_ignore_ascii_case(&name) {
            Err(format!("'{name}' is a name of the system's own events"))
        } else {
            Ok(Self(name))
        }
    }
}

impl ToSchema for CustomType {}

impl PartialSchema for CustomType {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .description(Some("What happened, in the client's words; no name of the system's own events."))
            .pattern(Some("^[A-Za-z][A-Za-z0-9_.:-]{0,99}$"))
            .into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_the_catalogue_are_reserved() {
        for reserved in ["lead_created", "Lead_Created", "audit_recorded", "custom_published", "webhook_test"]
        {
            assert!(CustomType::try_from(reserved.to_owned()).is_err(), "{reserved}");
        }
        assert_eq!(CustomType::try_from("price.changed".to_owned()).unwrap().name(), "price.changed");
    }
}
