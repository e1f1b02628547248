//! The API: requests that clients send, and answers that they read.

mod operation;

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::documents::Documents;
use super::report::{Finding, Report, Severity};
use super::schema::escape;
use operation::Operation;

/// What clients see.
const MERGED: &str = "openapi/merged.json";

const METHODS: [&str; 7] = ["get", "put", "post", "delete", "patch", "head", "options"];

/// What changed in each operation. Clients see those of the merged document; what a module has beside them only
/// the gateway asks for.
pub fn check(old: &Documents, new: &Documents, report: &mut Report) {
    let public = old.get(MERGED).map(operations).unwrap_or_default();
    compare(MERGED, "clients of the gateway", old, new, report, |_| true);
    for (service, _) in old.within("openapi") {
        let file = format!("openapi/{service}.json");
        if file != MERGED {
            let who = "the gateway, which forwards and asks";
            compare(&file, who, old, new, report, |key| !public.contains_key(key));
        }
    }
}

/// A path whose parameters have no names, and a method.
type Key = (String, &'static str);

fn compare(
    file: &str,
    who: &str,
    old: &Documents,
    new: &Documents,
    report: &mut Report,
    is_meant: impl Fn(&Key) -> bool,
) {
    let nothing = Value::Null;
    let (Some(before), after) = (old.get(file), new.get(file).unwrap_or(&nothing)) else { return };
    let after_operations = operations(after);
    for (key, one) in operations(before) {
        if !is_meant(&key) {
            continue;
        }
        let words = format!("{who}: {} {}", key.1.to_uppercase(), one.path);
        match after_operations.get(&key) {
            Some(other) => {
                for mut finding in one.changes(other) {
                    finding.at = format!("{file}{}", finding.at);
                    finding.breaks = vec![words.clone()];
                    report.add(finding);
                }
            }
            None => report.add(Finding {
                severity: Severity::Breaking,
                rule: "operation-removed",
                at: format!("{file}{}", one.at()),
                what: format!("{} {} is gone", key.1.to_uppercase(), one.path),
                breaks: vec![words],
                instead: "keep it beside the new one, and mark it as deprecated",
                accepted: None,
            }),
        }
    }
}

fn operations(document: &Value) -> BTreeMap<Key, Operation<'_>> {
    let mut found = BTreeMap::new();
    for (path, item) in document.get("paths").and_then(Value::as_object).into_iter().flatten() {
        for method in METHODS {
            if let Some(value) = item.get(method).and_then(Value::as_object) {
                let operation = Operation { document, path, method, value };
                found.insert((without_names(path), method), operation);
            }
        }
    }
    found
}

/// What a path parameter is called is no matter to who calls.
fn without_names(path: &str) -> String {
    let steps = path.split('/').map(|step| if step.starts_with('{') { "{}" } else { step });
    steps.collect::<Vec<_>>().join("/")
}

fn object<'a>(map: &'a Map<String, Value>, name: &str) -> impl Iterator<Item = (&'a String, &'a Value)> {
    map.get(name).and_then(Value::as_object).into_iter().flatten()
}

fn place(path: &str, method: &str) -> String {
    format!("#/paths/{}/{method}", escape(path))
}
