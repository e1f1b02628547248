use std::fmt;
use std::str::FromStr;

use bhiv_types::Invalid;
use serde::{Deserialize, Serialize};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

/// Crockford's base32: no letter looks like a digit.
const ALPHABET: &str = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const PREFIX: &str = "BHV";
const DRAWN: usize = 13;

/// What a customer follows a delivery by: `BHV` and 13 characters of chance, 65 bits. Who knows it may see
/// the delivery's status, so it must not be guessed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TrackingNumber(String);

impl TrackingNumber {
    /// A new one; each call of `chance` brings a number from 0 up to but not including 1.
    pub fn draw(chance: impl Fn() -> f64) -> Self {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is 0 to 31")]
        let letter = || ALPHABET.chars().nth((chance() * 32.0) as usize);
        Self(PREFIX.chars().chain((0..DRAWN).filter_map(|_| letter())).collect())
    }
}

impl fmt::Display for TrackingNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// People type it, so case does not matter.
impl FromStr for TrackingNumber {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let number = text.to_ascii_uppercase();
        match number.strip_prefix(PREFIX) {
            Some(drawn) if drawn.len() == DRAWN && drawn.chars().all(|letter| ALPHABET.contains(letter)) => {
                Ok(Self(number))
            }
            _ => Err(Invalid(format!("'{text}' is no tracking number"))),
        }
    }
}

impl TryFrom<String> for TrackingNumber {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        text.parse()
    }
}

impl From<TrackingNumber> for String {
    fn from(number: TrackingNumber) -> Self {
        number.0
    }
}

impl ToSchema for TrackingNumber {}

impl PartialSchema for TrackingNumber {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .description(Some("What a customer follows a delivery by."))
            .pattern(Some("^BHV[0-9A-HJKMNP-TV-Z]{13}$"))
            .into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_chance_makes_a_number() {
        assert_eq!(TrackingNumber::draw(|| 0.0).to_string(), "BHV0000000000000");
        assert_eq!(TrackingNumber::draw(|| 1.0 - f64::EPSILON).to_string(), "BHVZZZZZZZZZZZZZ");
        let step = std::cell::Cell::new(0.0);
        let number = TrackingNumber::draw(|| {
            step.set(step.get() + 1.0 / 32.0);
            step.get()
        });
        assert_eq!(number.to_string(), "BHV123456789ABCD");
    }

    #[test]
    fn it_is_read_as_people_type_it() {
        assert_eq!("bhv123456789abcd".parse(), Ok(TrackingNumber("BHV123456789ABCD".to_owned())));
        for text in ["", "BHV", "BHV123456789ABC", "BHV123456789ABCU", "XYZ123456789ABCD", "BHV12345678é"] {
            assert!(text.parse::<TrackingNumber>().is_err(), "{text}");
        }
    }
}
