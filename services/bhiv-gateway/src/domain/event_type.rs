use std::collections::BTreeSet;

use bhiv_events::{Kind, catalog};
use serde::{Deserialize, Serialize};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

/// Audit rows repeat what other events say; requests for erasure name whoever is to be named nowhere.
const HIDDEN: [&str; 2] = ["audit_recorded", "erasure_requested"];

/// Every kind of event that is shown to clients.
pub fn public() -> impl Iterator<Item = Kind> {
    catalog().into_iter().map(|entry| entry.kind).filter(|kind| !HIDDEN.contains(&kind.name))
}

/// Their public names, in order.
pub fn names() -> BTreeSet<&'static str> {
    public().map(|kind| kind.name).collect()
}

/// The CloudEvents types with this public name; several when it has several versions.
pub fn types(name: &str) -> Vec<&'static str> {
    public().filter(|kind| kind.name == name).map(|kind| kind.type_).collect()
}

/// A public name of the catalogue, for example `lead_created`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct EventType(String);

impl EventType {
    /// The name.
    pub fn name(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for EventType {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        if names().contains(name.as_str()) { Ok(Self(name)) } else { Err(unknown(&[&name])) }
    }
}

impl From<EventType> for String {
    fn from(EventType(name): EventType) -> Self {
        name
    }
}

impl ToSchema for EventType {}

impl PartialSchema for EventType {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .description(Some("Public name of a kind of event."))
            .enum_values(Some(names()))
            .into()
    }
}

/// Several public names with commas between them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct EventTypes(pub BTreeSet<EventType>);

impl TryFrom<String> for EventTypes {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let asked: BTreeSet<_> = text.split(',').map(str::trim).filter(|name| !name.is_empty()).collect();
        let known = names();
        let strange: Vec<_> = asked.iter().filter(|name| !known.contains(*name)).copied().collect();
        if !strange.is_empty() {
            return Err(unknown(&strange));
        }
        if asked.is_empty() {
            return Err("names no event type".to_owned());
        }
        Ok(Self(asked.into_iter().map(|name| EventType(name.to_owned())).collect()))
    }
}

impl ToSchema for EventTypes {}

impl PartialSchema for EventTypes {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .description(Some(
                "Public names with commas between them, for example `lead_created,order_created`.",
            ))
            .max_length(Some(2000))
            .into()
    }
}

fn unknown(strange: &[&str]) -> String {
    let known: Vec<_> = names().into_iter().collect();
    format!("no event type: {}; there are {}", strange.join(", "), known.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<String>, String> {
        let types = EventTypes::try_from(text.to_owned())?;
        Ok(types.0.into_iter().map(String::from).collect())
    }

    #[test]
    fn names_are_read_and_strange_ones_all_told() {
        assert_eq!(read("order_created, lead_created,").unwrap(), ["lead_created", "order_created"]);
        let error = read("lead_created,nonsense,audit_recorded").unwrap_err();
        assert!(error.starts_with("no event type: audit_recorded, nonsense; there are access_denied,"));
        assert!(read(" , ").is_err());
    }

    #[test]
    fn a_name_has_types() {
        assert_eq!(types("lead_created"), ["bhiv.crm.lead.created.v1"]);
        assert!(types("audit_recorded").is_empty());
    }
}
