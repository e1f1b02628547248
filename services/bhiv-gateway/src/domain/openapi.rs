//! The documents of all modules as one.

#![expect(clippy::indexing_slicing, reason = "JSON answers null for what it lacks, and makes what is set")]

use serde_json::{Map, Value, json};

/// Paths of the gateway that stand for an operation of a module: what a client calls, method, module, path.
pub const ALIASES: [Alias; 1] =
    [Alias { path: "/bhiv/agent/decide", method: "post", module: "rl", target: "/rl/decisions" }];

/// How to begin, for the page of the API. The test of the whole system does what it says.
const GUIDE: &str = include_str!("../guide.md");

/// A path of the gateway that stands for an operation of a module.
#[derive(Clone, Copy, Debug)]
pub struct Alias {
    /// What a client calls.
    pub path: &'static str,
    /// HTTP method, in lower case.
    pub method: &'static str,
    /// Name of the module.
    pub module: &'static str,
    /// What the module calls it.
    pub target: &'static str,
}

/// What `path` stands for, if it is an alias.
pub fn alias(path: &str) -> Option<Alias> {
    ALIASES.into_iter().find(|alias| alias.path == path)
}

/// Joins the documents of `modules` (name and document) to the gateway's own. Schemas of one name and of
/// different shape get their module's name in front; `missing` modules are named in the description.
pub fn merge(own: &Value, modules: &[(&str, Value)], missing: &[&str]) -> Value {
    let mut merged = own.clone();
    merged["info"]["title"] = json!("BHIV Unified Core");
    let mut description = GUIDE.to_owned();
    if !missing.is_empty() {
        description = format!("Not there at the moment: {}.\n\n{description}", missing.join(", "));
    }
    merged["info"]["description"] = json!(description);
    for (name, document) in modules {
        let document = without_clashes(&merged, name, document);
        for alias in ALIASES.iter().filter(|alias| alias.module == *name) {
            if let Some(operation) = document["paths"][alias.target].get(alias.method) {
                let mut operation = operation.clone();
                operation["operationId"] = json!(alias.path.trim_matches('/').replace('/', "_"));
                merged["paths"][alias.path][alias.method] = operation;
            }
        }
        extend(&mut merged, &document, &["paths"]);
        extend(&mut merged, &document, &["components", "schemas"]);
        extend(&mut merged, &document, &["components", "securitySchemes"]);
    }
    if let Some(paths) = merged["paths"].as_object_mut() {
        for (path, operations) in paths {
            let is_forwarded = own["paths"].get(path).is_none();
            for operation in operations.as_object_mut().into_iter().flat_map(Map::values_mut) {
                gate(operation, is_forwarded);
            }
        }
    }
    merged
}

/// Adds what the gateway may answer to an operation before its owner is asked, or instead of it.
fn gate(operation: &mut Value, is_forwarded: bool) {
    let is_secured = operation.get("security").is_some();
    let mut may_answer = vec![
        ("429", "Too many requests; `Retry-After` says when to come again"),
        ("503", "The gateway or the module cannot do this at the moment"),
    ];
    if is_secured {
        may_answer.push(("401", "An access token is required"));
        may_answer.push(("403", "The caller may not do this, or the person has not agreed to it"));
    }
    if is_forwarded {
        may_answer.push(("504", "The module takes too long"));
    }
    if operation["responses"].is_null() {
        operation["responses"] = json!({});
    }
    if let Some(responses) = operation["responses"].as_object_mut() {
        for (status, says) in may_answer {
            responses.entry(status).or_insert_with(|| problem(says));
        }
    }
}

fn problem(says: &str) -> Value {
    json!({
        "description": says,
        "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
    })
}

fn extend(merged: &mut Value, document: &Value, place: &[&str]) {
    let Some(additions) = at(document, place).and_then(Value::as_object) else { return };
    let target = place.iter().fold(merged, |value, name| &mut value[name]);
    if target.is_null() {
        *target = Value::Object(Map::new());
    }
    if let Some(target) = target.as_object_mut() {
        for (name, value) in additions {
            target.entry(name.clone()).or_insert_with(|| value.clone());
        }
    }
}

fn at<'a>(value: &'a Value, place: &[&str]) -> Option<&'a Value> {
    place.iter().try_fold(value, |value, name| value.get(name))
}

/// The document with schemas renamed that are called like one of `merged` and are not the same.
fn without_clashes(merged: &Value, module: &str, document: &Value) -> Value {
    let place = ["components", "schemas"];
    let (Some(taken), Some(own)) =
        (at(merged, &place).and_then(Value::as_object), at(document, &place).and_then(Value::as_object))
    else {
        return document.clone();
    };
    let mut text = document.to_string();
    let mut renamed = Vec::new();
    for (name, schema) in own {
        if taken.get(name).is_some_and(|other| other != schema) {
            let fresh = format!("{}{name}", capitalised(module));
            let (from, to) = (reference(name), reference(&fresh));
            text = text.replace(&from, &to);
            renamed.push((name.clone(), fresh));
        }
    }
    let mut document: Value = serde_json::from_str(&text).unwrap_or_else(|_| document.clone());
    if let Some(schemas) = document["components"]["schemas"].as_object_mut() {
        for (name, fresh) in renamed {
            if let Some(schema) = schemas.remove(&name) {
                schemas.insert(fresh, schema);
            }
        }
    }
    document
}

/// With its quotes, so that a name is not found within a longer one.
fn reference(name: &str) -> String {
    format!("\"#/components/schemas/{name}\"")
}

fn capitalised(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| first.to_ascii_uppercase().to_string() + letters.as_str())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;

    fn document(path: &str, filter: &Value) -> Value {
        json!({
            "paths": {path: {"get": {"schema": {"$ref": "#/components/schemas/Filter"}}}},
            "components": {"schemas": {"Filter": filter, "FilterMore": {"$ref": "#/components/schemas/Filter"}}},
        })
    }

    #[test]
    fn schemas_of_one_name_and_different_shape_are_told_apart() {
        let own = json!({"info": {}, "paths": {}, "components": {"schemas": {}}});
        let crm = document("/crm/x", &json!({"type": "string"}));
        let same = document("/task/x", &json!({"type": "string"}));
        let other = document("/rl/x", &json!({"type": "number"}));
        let merged = merge(&own, &[("crm", crm), ("task", same), ("rl", other)], &["logging"]);
        assert_eq!(merged["paths"].as_object().unwrap().len(), 3);
        let schemas = &merged["components"]["schemas"];
        assert_eq!(schemas["Filter"], json!({"type": "string"}));
        assert_eq!(schemas["RlFilter"], json!({"type": "number"}));
        assert_eq!(schemas["FilterMore"]["$ref"], "#/components/schemas/Filter");
        assert_eq!(merged["paths"]["/rl/x"]["get"]["schema"]["$ref"], "#/components/schemas/RlFilter");
        assert!(merged["info"]["description"].as_str().unwrap().contains("logging"));
    }

    #[test]
    fn what_the_gateway_may_answer_is_said_of_every_operation() {
        let secured = json!([{"bearer": ["crm:read"]}]);
        let crm = json!({"paths": {
            "/crm/x": {"get": {"security": secured, "responses": {"403": {"description": "no"}}}},
            "/crm/public": {"get": {}},
        }});
        let own = json!({"info": {}, "paths": {"/own": {"get": {"responses": {}}}}});
        let merged = merge(&own, &[("crm", crm)], &[]);
        let statuses = |path: &str| {
            let responses = merged["paths"][path]["get"]["responses"].as_object().unwrap();
            responses.keys().cloned().collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>().join(" ")
        };
        assert_eq!(statuses("/crm/x"), "401 403 429 503 504");
        assert_eq!(statuses("/crm/public"), "429 503 504");
        assert_eq!(statuses("/own"), "429 503");
        assert_eq!(merged["paths"]["/crm/x"]["get"]["responses"]["403"]["description"], "no");
    }

    /// What clients see, made of what each service publishes.
    #[test]
    fn the_published_document_is_fresh() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../proto-docs/openapi");
        let read = |name: &str| -> Value {
            let text = std::fs::read_to_string(folder.join(format!("{name}.json"))).unwrap();
            serde_json::from_str(&text).unwrap()
        };
        let names = ["crm", "logistics", "task", "compliance", "rl", "logging"];
        let modules: Vec<_> = names.iter().map(|name| (*name, read(name))).collect();
        let merged = merge(&read("bhiv-gateway"), &modules, &[]);
        for path in ["/crm/leads", "/logistics/procurement", "/bhiv/agent/decide", "/event/unified"] {
            assert!(merged["paths"][path]["post"].is_object(), "{path}");
        }
        bhiv_testing::rules::fresh_json(&folder.join("merged.json"), merged);
    }
}
