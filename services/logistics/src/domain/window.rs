use chrono::NaiveTime;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The hours of the day in which a delivery is expected, in the time of the place where it goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, try_from = "Hours")]
pub struct Window {
    /// Not before, for example `09:30`.
    #[schema(value_type = String, pattern = "^([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?$")]
    pub from: NaiveTime,
    /// Not after; later than `from`.
    #[schema(value_type = String, pattern = "^([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?$")]
    pub to: NaiveTime,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Hours {
    from: NaiveTime,
    to: NaiveTime,
}

impl TryFrom<Hours> for Window {
    type Error = &'static str;

    fn try_from(Hours { from, to }: Hours) -> Result<Self, Self::Error> {
        if to > from { Ok(Self { from, to }) } else { Err("must end after it begins") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_ends_after_it_begins() {
        let read = |json| serde_json::from_str::<Window>(json).map(|window| window.to.to_string());
        assert_eq!(read(r#"{"from": "09:30", "to": "12:00:30"}"#).unwrap(), "12:00:30");
        assert!(read(r#"{"from": "09:30", "to": "09:30"}"#).is_err());
        assert!(read(r#"{"from": "22:00", "to": "02:00"}"#).is_err());
    }
}
