use std::borrow::Cow;
use std::str::FromStr;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use strum::VariantNames;
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

/// What a list is sorted by: `name`, or `-name` for the reverse. `K` is an enum of what it can be sorted by, its
/// names those of the fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sort<K> {
    /// The field.
    pub by: K,
    /// From the greatest to the least.
    pub descending: bool,
}

impl<'de, K: FromStr> Deserialize<'de> for Sort<K> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let (name, descending) = text.strip_prefix('-').map_or((text.as_str(), false), |name| (name, true));
        let by = name.parse().map_err(|_| D::Error::custom("this list cannot be sorted by that"))?;
        Ok(Self { by, descending })
    }
}

/// Each order has a schema of its own, named after its enum.
impl<K: VariantNames> ToSchema for Sort<K> {
    fn name() -> Cow<'static, str> {
        let path = std::any::type_name::<K>();
        Cow::Borrowed(path.rsplit("::").next().unwrap_or(path))
    }
}

impl<K: VariantNames> PartialSchema for Sort<K> {
    fn schema() -> RefOr<Schema> {
        let names = K::VARIANTS.iter().flat_map(|name| [(*name).to_owned(), format!("-{name}")]);
        ObjectBuilder::new()
            .schema_type(Type::String)
            .description(Some("What the list is sorted by; with a minus from the greatest to the least."))
            .enum_values(Some(names))
            .into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Copy, Debug, PartialEq, strum::EnumString, strum::VariantNames)]
    #[strum(serialize_all = "snake_case")]
    enum LeadSort {
        Name,
        CreatedAt,
    }

    #[test]
    fn a_minus_turns_the_order_round() {
        let read = |text: &str| serde_json::from_value::<Sort<LeadSort>>(text.into());
        assert_eq!(read("name").unwrap(), Sort { by: LeadSort::Name, descending: false });
        assert_eq!(read("-created_at").unwrap(), Sort { by: LeadSort::CreatedAt, descending: true });
        assert!(read("-").is_err() && read("age").is_err());
        assert_eq!(Sort::<LeadSort>::name(), "LeadSort");
    }
}
