use std::fmt;
use std::str::FromStr;

use iso_currency::Currency as Iso;
use serde::{Deserialize, Serialize};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::Invalid;

/// A currency of ISO 4217.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Currency(Iso);

impl Currency {
    /// Its code, for example `INR`.
    pub fn code(self) -> &'static str {
        self.0.code()
    }
}

/// The Indian rupee, which is meant where no currency is given.
impl Default for Currency {
    fn default() -> Self {
        Self(Iso::INR)
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl FromStr for Currency {
    type Err = Invalid;

    fn from_str(code: &str) -> Result<Self, Invalid> {
        Iso::from_code(code).map(Self).ok_or_else(|| Invalid(format!("'{code}' is no currency of ISO 4217")))
    }
}

impl TryFrom<String> for Currency {
    type Error = Invalid;

    fn try_from(code: String) -> Result<Self, Invalid> {
        code.parse()
    }
}

impl From<Currency> for String {
    fn from(currency: Currency) -> Self {
        currency.code().to_owned()
    }
}

impl ToSchema for Currency {}

impl PartialSchema for Currency {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .description(Some("A currency code of ISO 4217, for example `INR`."))
            .pattern(Some("^[A-Z]{3}$"))
            .into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_real_currencies_are_read() {
        assert_eq!("EUR".parse::<Currency>().map(Currency::code), Ok("EUR"));
        assert!("EURO".parse::<Currency>().is_err());
        assert!("QQQ".parse::<Currency>().is_err());
        assert!("eur".parse::<Currency>().is_err());
    }
}
