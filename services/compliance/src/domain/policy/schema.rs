//! What policies may ask, for Cedar's validator: made of the JSON Schemas of the events' contracts, as `context.rs`
//! shows events to policies.
//!
//! What a contract leaves open, such as the `metadata` of a unified event, has no type in Cedar: policies cannot ask
//! for it.

use std::sync::LazyLock;

use cedar_policy::Schema;
use serde_json::{Map, Value, json};

use crate::domain::judged::judged;

static SCHEMA: LazyLock<Result<Schema, String>> =
    LazyLock::new(|| Schema::from_json_value(document()).map_err(|error| error.to_string()));

/// The schema that policies are checked with.
///
/// # Errors
/// When the contracts make none: a mistake of ours, which a test would find.
pub fn schema() -> Result<&'static Schema, String> {
    SCHEMA.as_ref().map_err(Clone::clone)
}

fn document() -> Value {
    let actions = judged().map(|entry| {
        let data = bhiv_events::json_schema(&entry);
        let applies = json!({
            "principalTypes": ["Actor"], "resourceTypes": ["Subject"], "context": context(&data),
        });
        (entry.kind.name.to_owned(), json!({"appliesTo": applies}))
    });
    let actions: Map<_, _> = actions.collect();
    json!({"": {"entityTypes": {"Actor": {}, "Subject": {}}, "actions": actions}})
}

/// As `context.rs` has it.
fn context(data: &Value) -> Value {
    let (text, texts) = (json!({"type": "String"}), json!({"type": "Set", "element": {"type": "String"}}));
    let optional = json!({"type": "String", "required": false});
    let empty = || json!({"type": "Record", "attributes": {}});
    json!({"type": "Record", "attributes": {
        "id": text, "type": text, "source": text, "correlationid": text, "causationid": optional,
        "time": {"type": "Extension", "name": "datetime"}, "sequence": {"type": "Long"},
        "data": type_of(data, data).map_or_else(empty, |(type_, _)| type_),
        "numbers": numbers_of(data, data).map_or_else(empty, |(type_, _)| type_),
        "person": optional,
        "consented": texts, "refused": texts, "withdrawn": texts, "expired": texts,
    }})
}

/// The Cedar type of what `schema` allows, and whether it may be null; none if Cedar has no such type.
fn type_of(schema: &Value, root: &Value) -> Option<(Value, bool)> {
    let schema = resolved(schema, root)?;
    if let Some(branches) = schema.get("anyOf").or_else(|| schema.get("oneOf")).and_then(Value::as_array) {
        let is_null = |branch: &&Value| branch.get("type") == Some(&json!("null"));
        let nullable = branches.iter().any(|branch| is_null(&branch));
        let mut types = branches.iter().filter(|branch| !is_null(branch)).map(|branch| type_of(branch, root));
        let (first, _) = types.next()??;
        return types
            .all(|type_| type_.is_some_and(|(type_, _)| type_ == first))
            .then_some((first, nullable));
    }
    let names = type_names(schema);
    let nullable = names.contains(&"null");
    let has = |name| names.contains(&name);
    let type_ = if has("string") {
        json!({"type": "String"})
    } else if has("integer") {
        json!({"type": "Long"})
    } else if has("number") {
        json!({"type": "Extension", "name": "decimal"})
    } else if has("boolean") {
        json!({"type": "Boolean"})
    } else if has("array") {
        let (element, _) = type_of(schema.get("items")?, root)?;
        json!({"type": "Set", "element": element})
    } else {
        let fields = schema.get("properties")?.as_object()?;
        record(schema, fields.iter().map(|(name, field)| (name, type_of(field, root))))
    };
    Some((type_, nullable))
}

/// As [`type_of`], of what `context.numbers` has: texts may be numbers or not.
fn numbers_of(schema: &Value, root: &Value) -> Option<(Value, bool)> {
    let schema = resolved(schema, root)?;
    let names = type_names(schema);
    let has = |name| names.contains(&name);
    let decimal = json!({"type": "Extension", "name": "decimal"});
    if has("string") {
        return Some((decimal, true));
    }
    if has("integer") || has("number") {
        return Some((decimal, has("null")));
    }
    let fields = schema.get("properties")?.as_object()?;
    let fields = fields.iter().map(|(name, field)| (name, numbers_of(field, root)));
    Some((record(schema, fields), has("null")))
}

fn record<'a>(schema: &Value, fields: impl Iterator<Item = (&'a String, Option<(Value, bool)>)>) -> Value {
    let required = schema.get("required").and_then(Value::as_array).cloned().unwrap_or_default();
    let attributes = fields.filter_map(|(name, type_)| {
        let (mut type_, nullable) = type_?;
        let is_required = !nullable && required.iter().any(|required| required == name);
        type_.as_object_mut()?.insert("required".to_owned(), is_required.into());
        Some((name.clone(), type_))
    });
    json!({"type": "Record", "attributes": attributes.collect::<Map<_, _>>()})
}

fn resolved<'a>(schema: &'a Value, root: &'a Value) -> Option<&'a Value> {
    match schema.get("$ref").and_then(Value::as_str) {
        Some(reference) => root.pointer(reference.strip_prefix('#')?),
        None => Some(schema),
    }
}

fn type_names(schema: &Value) -> Vec<&str> {
    match schema.get("type") {
        Some(Value::String(name)) => vec![name],
        Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
        _ if schema.get("const").or_else(|| schema.pointer("/enum/0")).is_some_and(Value::is_string) => {
            vec!["string"]
        }
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_contracts_make_a_schema() {
        schema().unwrap();
        let document = document();
        let context = &document[""]["actions"]["order_created"]["appliesTo"]["context"]["attributes"];
        let data = &context["data"]["attributes"];
        assert_eq!(data["currency"], json!({"type": "String", "required": true}));
        assert_eq!(data["opportunity_id"], json!({"type": "String", "required": false}));
        assert_eq!(data["items"]["element"]["attributes"]["quantity"]["type"], "Long");
        let total = &context["numbers"]["attributes"]["total"];
        assert_eq!(*total, json!({"type": "Extension", "name": "decimal", "required": false}));
        let unified = &document[""]["actions"]["unified_received"]["appliesTo"]["context"]["attributes"];
        assert_eq!(unified["data"]["attributes"]["rl_score"]["required"], false);
        assert_eq!(unified["data"]["attributes"]["metadata"], Value::Null, "it may be anything");
    }
}
