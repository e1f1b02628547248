//! What columns can hold. Nothing that was heard may fail to be kept, however strange it is.

use serde_json::Value;

/// The longest text, in characters, that an index takes: four bytes each, and PostgreSQL's limit is 2,704.
const LONGEST: usize = 500;

/// A text that PostgreSQL can hold: it has no U+0000, which becomes U+FFFD.
fn text(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}

/// An attribute of an event; one that is too long loses its end.
pub fn attribute(attribute: &str) -> String {
    text(attribute).chars().take(LONGEST).collect()
}

/// A name within an event's data: `None` for what is no text, is empty, or is too long to be a name.
pub fn name(value: Option<&Value>) -> Option<String> {
    let name = value?.as_str()?;
    (!name.is_empty() && name.chars().nth(LONGEST).is_none()).then(|| text(name))
}

/// The data as it is, apart from what [`text`] changes.
pub fn json(value: &Value) -> Value {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
        Value::String(string) => Value::String(text(string)),
        Value::Array(items) => items.iter().map(json).collect(),
        Value::Object(fields) => fields.iter().map(|(name, value)| (text(name), json(value))).collect(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn data_stays_as_it_is() {
        let data = json!({"a": [1, 2.5, true, null, "é"], "b": {"c": "\\u0000"}});
        assert_eq!(json(&data), data);
        assert_eq!(json(&json!({"a\0": ["b\0"]})), json!({"a\u{fffd}": ["b\u{fffd}"]}));
    }

    #[test]
    fn what_an_index_cannot_take_is_cut_or_left_out() {
        let (fits, long) = ("é".repeat(LONGEST), "é".repeat(LONGEST + 1));
        assert_eq!((attribute(&fits), attribute(&long)), (fits.clone(), fits.clone()));
        assert_eq!(name(Some(&json!(fits))), Some(fits));
        for no_name in [json!(long), json!(""), json!(7), json!(null), json!(["x"])] {
            assert_eq!(name(Some(&no_name)), None);
        }
        assert_eq!(name(None), None);
    }
}
