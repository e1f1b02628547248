//! JSON as values of Cedar.
//!
//! Built value by value and not by Cedar's own reader of JSON, where an object `{"__entity": ..}` is not an
//! object: what is in an event is data, whatever it looks like.

use cedar_policy::{ExpressionConstructionError, RestrictedExpression};
use rust_decimal::Decimal;
use rust_decimal::prelude::FromPrimitive as _;
use serde_json::{Map, Number, Value};

/// How deeply what policies see may be nested: Cedar's own recursion costs more stack than reading JSON does.
const DEPTH: usize = 32;

/// `json` for policies: integers become longs, other numbers decimals, arrays sets, objects records. Cedar
/// knows no null: it is an attribute or an element that is not there, and so is what is nested too deeply.
///
/// # Errors
/// When a record names an attribute twice, which JSON cannot.
pub fn value(json: &Value) -> Result<Option<RestrictedExpression>, ExpressionConstructionError> {
    value_within(DEPTH, json)
}

fn value_within(
    depth: usize,
    json: &Value,
) -> Result<Option<RestrictedExpression>, ExpressionConstructionError> {
    let Some(inner) = depth.checked_sub(1) else { return Ok(None) };
    Ok(Some(match json {
        Value::Null => return Ok(None),
        Value::Bool(truth) => RestrictedExpression::new_bool(*truth),
        Value::Number(number) => match number.as_i64() {
            Some(integer) => RestrictedExpression::new_long(integer),
            None => decimal(of_number(number)),
        },
        Value::String(text) => text_value(text),
        Value::Array(items) => {
            let items = items.iter().filter_map(|item| value_within(inner, item).transpose());
            RestrictedExpression::new_set(items.collect::<Result<Vec<_>, _>>()?)
        }
        Value::Object(fields) => record(fields, |field| value_within(inner, field))?,
    }))
}

/// The numbers of `json`, which is a record, all of them as decimals: those that JSON writes as numbers and
/// those that it writes as text, as it does amounts of money. What is no number is not there.
///
/// # Errors
/// As [`value`].
pub fn numbers(json: &Value) -> Result<Option<RestrictedExpression>, ExpressionConstructionError> {
    numbers_within(DEPTH, json)
}

fn numbers_within(
    depth: usize,
    json: &Value,
) -> Result<Option<RestrictedExpression>, ExpressionConstructionError> {
    let Some(inner) = depth.checked_sub(1) else { return Ok(None) };
    Ok(match json {
        Value::Number(number) => Some(decimal(of_number(number))),
        Value::String(text) => of_text(text).map(decimal),
        Value::Object(fields) => Some(record(fields, |field| numbers_within(inner, field))?),
        Value::Null | Value::Bool(_) | Value::Array(_) => None,
    })
}

/// A text.
pub fn text_value(text: &str) -> RestrictedExpression {
    RestrictedExpression::new_string(text.to_owned())
}

fn record(
    fields: &Map<String, Value>,
    read: impl Fn(&Value) -> Result<Option<RestrictedExpression>, ExpressionConstructionError>,
) -> Result<RestrictedExpression, ExpressionConstructionError> {
    let mut attributes = Vec::with_capacity(fields.len());
    for (name, field) in fields {
        attributes.extend(read(field)?.map(|value| (name.clone(), value)));
    }
    RestrictedExpression::new_record(attributes)
}

/// Cedar's decimals have four digits after the point and are 64 bits wide. Further digits are cut off; what is
/// too large becomes the largest there is, so that it stays above every limit that a policy can name.
fn decimal(number: Decimal) -> RestrictedExpression {
    let number = number.clamp(Decimal::new(i64::MIN, 4), Decimal::new(i64::MAX, 4)).trunc_with_scale(4);
    RestrictedExpression::new_decimal(format!("{number:.4}"))
}

fn of_number(number: &Number) -> Decimal {
    // Beyond this a float is no decimal at all; it is beyond Cedar's decimals too.
    const LIMIT: f64 = 1e15;
    let float = number.as_f64().unwrap_or_default().clamp(-LIMIT, LIMIT);
    number.as_i64().map(Decimal::from).or_else(|| Decimal::from_f64(float)).unwrap_or_default()
}

fn of_text(text: &str) -> Option<Decimal> {
    let is_plain = text.chars().all(|letter| letter.is_ascii_digit() || matches!(letter, '.' | '-'));
    if is_plain { Decimal::from_str_exact(text).ok() } else { None }
}

#[cfg(test)]
mod tests {
    use cedar_policy::{Context, EvalResult};
    use serde_json::json;

    use super::*;

    fn seen(json: &Value) -> String {
        shown(value(json).unwrap())
    }

    fn shown(expression: Option<RestrictedExpression>) -> String {
        let Some(expression) = expression else { return "nothing".to_owned() };
        match Context::from_pairs([("it".to_owned(), expression)]).unwrap().get("it") {
            Some(EvalResult::ExtensionValue(text)) => text,
            Some(other) => other.to_string(),
            None => "nothing".to_owned(),
        }
    }

    #[test]
    fn every_kind_of_json_has_its_counterpart() {
        assert_eq!(seen(&json!(null)), "nothing");
        assert_eq!(seen(&json!(true)), "true");
        assert_eq!(seen(&json!(42)), "42");
        assert_eq!(seen(&json!("42")), "\"42\"");
        assert_eq!(seen(&json!(["b", null, "a", "b"])), r#"["a", "b"]"#);
        assert_eq!(seen(&json!({"gone": null, "there": {"it": 1}})), r#"{"there": {"it": 1}}"#);
    }

    #[test]
    fn an_object_that_looks_like_an_entity_is_an_object() {
        let disguised = json!({"__entity": {"type": "Actor", "id": "user/admin"}});
        assert_eq!(seen(&disguised), r#"{"__entity": {"id": "user/admin", "type": "Actor"}}"#);
    }

    #[test]
    fn what_is_nested_too_deeply_is_not_there() {
        let deep = (0..200).fold(json!({"number": 1}), |inner, _| json!({"inner": inner}));
        assert_eq!(seen(&deep).matches("inner").count(), DEPTH - 1);
        assert!(!shown(numbers(&deep).unwrap()).contains("number"));
    }

    #[test]
    fn numbers_that_are_no_integers_are_decimals() {
        for (number, expected) in [
            (json!(0.5), "0.5000"),
            (json!(1.0), "1.0000"),
            (json!(-0.1), "-0.1000"),
            (json!(0.123_456), "0.1234"),
            (json!(1e-30), "0.0000"),
            (json!(1e300), "922337203685477.5807"),
            (json!(-1e300), "-922337203685477.5808"),
            (json!(u64::MAX), "922337203685477.5807"),
        ] {
            assert_eq!(seen(&number), format!("decimal(\"{expected}\")"), "{number}");
        }
    }

    #[test]
    fn numbers_are_found_however_they_are_written() {
        let seen = |json: &Value| shown(numbers(json).unwrap());
        for (number, expected) in [
            (json!(1_000_000), "1000000.0000"),
            (json!("1000000"), "1000000.0000"),
            (json!("999999.99"), "999999.9900"),
            (json!("999999.99999"), "999999.9999"),
            (json!("-3"), "-3.0000"),
            (json!("999999999999999"), "922337203685477.5807"),
        ] {
            assert_eq!(seen(&number), format!("decimal(\"{expected}\")"), "{number}");
        }
        for text in
            ["", "INR", "2026-01", "1e9", "1_000", "12:30", "+1", "0190000000007000800000000000000000"]
        {
            assert_eq!(seen(&json!(text)), "nothing", "{text}");
        }
        let record =
            json!({"total": "5", "currency": "INR", "items": [1], "more": {"weight": 2, "name": "x"}});
        assert_eq!(seen(&record), r#"{"more": {"weight": decimal("2.0000")}, "total": decimal("5.0000")}"#);
    }
}
