use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Number;
use utoipa::openapi::schema::{
    AdditionalProperties, AllOfBuilder, ArrayBuilder, ObjectBuilder, SchemaType, Type,
};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

/// Facts that one situation or action can have; each text of an array is one.
const MOST: usize = 200;

/// Texts that one array can have.
const MOST_TEXTS: usize = 20;

/// Longest name and longest text, in characters.
const LONGEST_NAME: usize = 100;
const LONGEST_TEXT: usize = 200;

/// Something that is known of a situation or of an action. A number is finite.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Fact {
    /// True or false.
    Flag(bool),
    /// How much.
    Number(Number),
    /// Which.
    Text(String),
    /// Which ones.
    Texts(Vec<String>),
}

impl Fact {
    /// A number, unless it is infinite or none.
    pub fn number(number: f64) -> Option<Self> {
        Number::from_f64(number).map(Self::Number)
    }
}

impl From<bool> for Fact {
    fn from(flag: bool) -> Self {
        Self::Flag(flag)
    }
}

impl From<&str> for Fact {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

/// What is known, by name.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "BTreeMap<String, Fact>")]
pub struct Facts(BTreeMap<String, Fact>);

impl Facts {
    /// With one fact more, if it is known.
    #[must_use]
    pub fn with(mut self, name: &str, fact: impl Into<Option<Fact>>) -> Self {
        if let Some(fact) = fact.into() {
            self.0.insert(name.to_owned(), fact);
        }
        self
    }

    /// The fact of that name.
    pub fn get(&self, name: &str) -> Option<&Fact> {
        self.0.get(name)
    }

    /// Every fact with its name, in the order of the names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Fact)> {
        self.0.iter().map(|(name, fact)| (name.as_str(), fact))
    }
}

impl TryFrom<BTreeMap<String, Fact>> for Facts {
    type Error = String;

    fn try_from(facts: BTreeMap<String, Fact>) -> Result<Self, String> {
        let is_finite = |number: &Number| number.as_f64().is_some_and(f64::is_finite);
        let mut count = 0;
        for (name, fact) in &facts {
            count += match fact {
                Fact::Number(number) if !is_finite(number) => {
                    return Err(format!("{name} is not a finite number"));
                }
                Fact::Texts(texts) => texts.len(),
                Fact::Flag(_) | Fact::Number(_) | Fact::Text(_) => 1,
            };
        }
        if count > MOST {
            return Err(format!(
                "has {count} facts, counting each text of an array; at most {MOST} are read"
            ));
        }
        Ok(Self(facts))
    }
}

/// What is known of a situation: up to 100 facts.
impl PartialSchema for Facts {
    fn schema() -> RefOr<Schema> {
        schema(100, "Facts by name: texts, finite numbers, truth values, or arrays of texts.")
    }
}

impl ToSchema for Facts {}

/// What is known of an action: up to 20 facts.
pub fn few() -> RefOr<Schema> {
    schema(20, "What is known of the action: facts by name, as in `context`.")
}

fn schema(most: usize, says: &str) -> RefOr<Schema> {
    let types = || SchemaType::from_iter([Type::String, Type::Number, Type::Boolean, Type::Array]);
    let text = || ObjectBuilder::new().schema_type(Type::String).max_length(Some(LONGEST_TEXT));
    let fact = AllOfBuilder::new()
        .item(ObjectBuilder::new().schema_type(types()).max_length(Some(LONGEST_TEXT)))
        .item(ArrayBuilder::new().schema_type(types()).items(text()).max_items(Some(MOST_TEXTS)));
    let name = text().min_length(Some(1)).max_length(Some(LONGEST_NAME));
    ObjectBuilder::new()
        .description(Some(says))
        .property_names(Some(name))
        .additional_properties(Some(AdditionalProperties::<Schema>::from(fact)))
        .max_properties(Some(most))
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_number_is_no_fact() {
        for number in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert_eq!(Fact::number(number), None);
        }
        assert!(serde_json::from_str::<Facts>(r#"{"total": 1e999}"#).is_err());
        assert!(serde_json::from_str::<Facts>(r#"{"total": NaN}"#).is_err());
        assert!(serde_json::from_str::<Facts>(r#"{"total": null}"#).is_err());
    }

    #[test]
    fn facts_come_back_as_they_were_given() {
        let text = r#"{"fragile":true,"tags":["a","b"],"total":5,"weight":1.5,"zone":"north"}"#;
        let facts: Facts = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&facts).unwrap(), text);
    }

    #[test]
    fn there_is_an_end_to_what_is_read() {
        let arrays = |count: usize| -> BTreeMap<_, _> {
            let texts = || Fact::Texts(vec!["a".to_owned(); MOST_TEXTS]);
            (0..count).map(|number| (number.to_string(), texts())).collect()
        };
        assert!(Facts::try_from(arrays(10)).is_ok());
        assert!(Facts::try_from(arrays(11)).is_err());
    }
}
