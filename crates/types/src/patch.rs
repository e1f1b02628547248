use serde::{Deserialize, Deserializer};

/// A field of a partial update (RFC 7396): absent keeps the value, `null` clears it, anything else sets it.
///
/// Its field needs `#[serde(default)]` and, for the documentation, `#[schema(value_type = Option<T>)]`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Patch<T> {
    /// As it was.
    #[default]
    Keep,
    /// No value any more.
    Clear,
    /// This value.
    Set(T),
}

impl<T> Patch<T> {
    /// Changes `value`.
    pub fn apply(self, value: &mut Option<T>) {
        match self {
            Self::Keep => {}
            Self::Clear => *value = None,
            Self::Set(new) => *value = Some(new),
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Patch<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Option::deserialize(deserializer)?.map_or(Self::Clear, Self::Set))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize)]
    struct Change {
        #[serde(default)]
        phone: Patch<String>,
    }

    #[test]
    fn absent_null_and_a_value_differ() {
        let read = |json| serde_json::from_str::<Change>(json).unwrap().phone;
        assert_eq!(read("{}"), Patch::Keep);
        assert_eq!(read(r#"{"phone": null}"#), Patch::Clear);
        assert_eq!(read(r#"{"phone": "1"}"#), Patch::Set("1".to_owned()));
    }
}
