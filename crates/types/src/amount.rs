use std::fmt;

use rust_decimal::Decimal;
use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::openapi::schema::{ObjectBuilder, SchemaType, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::Invalid;

/// An amount of money, not negative, below 10^15, with at most four decimals. Its currency stands beside it.
///
/// Read from a JSON string or a JSON number; written as a string, so that no reader makes a float of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Amount(Decimal);

const PATTERN: &str = r"^[0-9]{1,15}(\.[0-9]{1,4})?$";

impl Amount {
    /// The number.
    pub fn get(self) -> Decimal {
        self.0
    }
}

impl TryFrom<Decimal> for Amount {
    type Error = Invalid;

    fn try_from(value: Decimal) -> Result<Self, Invalid> {
        let limit = Decimal::from(1_000_000_000_000_000_u64);
        if value.is_sign_negative() && !value.is_zero() {
            Err(Invalid("an amount is not negative".to_owned()))
        } else if value >= limit || value.normalize().scale() > 4 {
            Err(Invalid("an amount is below 10^15 and has at most four decimals".to_owned()))
        } else {
            Ok(Self(value))
        }
    }
}

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;

        impl Visitor<'_> for Text {
            type Value = Decimal;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an amount, as a string or a number")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Decimal, E> {
                Decimal::from_str_exact(text).map_err(E::custom)
            }

            fn visit_u64<E: Error>(self, number: u64) -> Result<Decimal, E> {
                Ok(number.into())
            }

            fn visit_i64<E: Error>(self, number: i64) -> Result<Decimal, E> {
                Ok(number.into())
            }

            // The shortest text that reads back as the same float is what the client wrote, up to 15 digits.
            fn visit_f64<E: Error>(self, number: f64) -> Result<Decimal, E> {
                self.visit_str(&number.to_string())
            }
        }

        let value = deserializer.deserialize_any(Text)?;
        Self::try_from(value).map_err(D::Error::custom)
    }
}

impl ToSchema for Amount {}

impl PartialSchema for Amount {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(SchemaType::from_iter([Type::String, Type::Number]))
            .description(Some("Money: a decimal string, or a number of at most 15 digits."))
            .pattern(Some(PATTERN))
            .minimum(Some(0))
            .exclusive_maximum(Some(1e15))
            .into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Option<String> {
        serde_json::from_str::<Amount>(json).ok().map(|amount| amount.get().to_string())
    }

    #[test]
    fn strings_and_numbers_are_read_exactly() {
        assert_eq!(read("\"19.99\"").as_deref(), Some("19.99"));
        assert_eq!(read("19.99").as_deref(), Some("19.99"));
        assert_eq!(read("25000").as_deref(), Some("25000"));
        assert_eq!(read("0.1").as_deref(), Some("0.1"));
        assert_eq!(read("123456789012.45").as_deref(), Some("123456789012.45"));
    }

    #[test]
    fn what_is_no_amount_is_refused() {
        for json in ["-1", "\"-0.01\"", "\"1e3\"", "1e16", "\"1.00001\"", "\"\"", "\"ten\"", "null", "NaN"] {
            assert_eq!(read(json), None, "{json}");
        }
    }
}
