use std::fmt;
use std::str::FromStr;

use bhiv_types::Invalid;
use chrono::{DateTime, NaiveDateTime, TimeDelta, TimeZone as _, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

/// Whose clock counts, by its name in the IANA time zone database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Timezone(Tz);

impl Timezone {
    /// When clocks there show that for the last time. What they skip in spring is an hour later.
    pub fn last(self, shown: NaiveDateTime) -> DateTime<Utc> {
        let there = |shown: NaiveDateTime| self.0.from_local_datetime(&shown).latest();
        let at = there(shown).or_else(|| there(shown + TimeDelta::hours(1)));
        at.map_or_else(|| shown.and_utc(), |at| at.to_utc())
    }
}

impl fmt::Display for Timezone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.name())
    }
}

impl FromStr for Timezone {
    type Err = Invalid;

    fn from_str(name: &str) -> Result<Self, Invalid> {
        name.parse().map(Self).map_err(|_| Invalid(format!("there is no time zone '{name}'")))
    }
}

impl TryFrom<String> for Timezone {
    type Error = Invalid;

    fn try_from(name: String) -> Result<Self, Invalid> {
        name.parse()
    }
}

impl From<Timezone> for String {
    fn from(zone: Timezone) -> Self {
        zone.to_string()
    }
}

impl ToSchema for Timezone {}

impl PartialSchema for Timezone {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .description(Some("A time zone of the IANA database, for example `Asia/Kolkata`."))
            .pattern(Some("^[A-Za-z][A-Za-z0-9_+/-]{0,63}$"))
            .into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn last(zone: &str, shown: &str) -> String {
        zone.parse::<Timezone>().unwrap().last(shown.parse().unwrap()).to_rfc3339()
    }

    #[test]
    fn clocks_differ_and_are_changed() {
        assert_eq!(last("Asia/Kolkata", "2027-02-01T12:00:00"), "2027-02-01T06:30:00+00:00");
        // 02:30 is skipped in March, and shown twice in October.
        assert_eq!(last("Europe/Berlin", "2027-03-28T02:30:00"), "2027-03-28T01:30:00+00:00");
        assert_eq!(last("Europe/Berlin", "2027-10-31T02:30:00"), "2027-10-31T01:30:00+00:00");
        assert!("Mars/Olympus".parse::<Timezone>().is_err());
    }
}
