use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::super::report::{Finding, Severity};
use super::super::schema::{Change, Effect, Node, changes, escape};
use super::{object, place};

/// One operation in its document.
#[derive(Clone, Copy, Debug)]
pub struct Operation<'a> {
    pub document: &'a Value,
    pub path: &'a str,
    pub method: &'static str,
    pub value: &'a Map<String, Value>,
}

/// Levels of a permission: each allows what those before it allow.
const LEVELS: [&str; 3] = ["read", "write", "admin"];

impl<'a> Operation<'a> {
    /// JSON pointer.
    pub fn at(self) -> String {
        place(self.path, self.method)
    }

    /// What changed from `self` to `new`.
    pub fn changes(self, new: &Operation<'_>) -> Vec<Finding> {
        let mut found = Vec::new();
        self.permission(new, &mut found);
        self.parameters(new, &mut found);
        self.request(new, &mut found);
        self.answers(new, &mut found);
        found
    }

    fn permission(self, new: &Operation<'_>, found: &mut Vec<Finding>) {
        let (before, after) = (self.scopes(), new.scopes());
        if before == after {
            return;
        }
        let held = before.iter().flatten();
        let suffices = |wanted: &str| held.clone().any(|scope| allows(scope, wanted));
        let what = format!(
            "it took {}, and takes {}",
            scopes_in_words(before.as_deref()),
            scopes_in_words(after.as_deref())
        );
        // Before, a token was enough for an empty list, and nothing at all for none.
        let tightened = match (&before, &after) {
            (None, Some(_)) => true,
            (_, Some(after)) => !after.iter().all(|wanted| suffices(wanted)),
            (_, None) => false,
        };
        let at = format!("{}/security", new.at());
        if tightened {
            found.push(finding(
                "permission-tightened",
                at,
                what,
                "ask for it in an operation beside this one",
            ));
        } else {
            found.push(note("permission-loosened", at, what));
        }
    }

    /// The scopes of its token; `None` when it takes no token.
    fn scopes(self) -> Option<Vec<&'a str>> {
        let one = self.value.get("security")?.as_array()?.first()?.as_object()?;
        Some(one.values().filter_map(Value::as_array).flatten().filter_map(Value::as_str).collect())
    }

    fn parameters(self, new: &Operation<'_>, found: &mut Vec<Finding>) {
        let (before, after) = (self.named_parameters(), new.named_parameters());
        for (name, one) in &before {
            let Some(other) = after.get(name) else {
                let what = format!("{} is not known any more", parameter_in_words(name));
                found.push(finding("parameter-removed", one.at.clone(), what, "keep it"));
                continue;
            };
            if !one.is_required && other.is_required {
                let what = format!("{} was optional, and is required now", parameter_in_words(name));
                found.push(finding("parameter-required", other.at.clone(), what, "keep it optional"));
            }
            if let (Some(one), Some(other)) = (&one.schema, &other.schema) {
                let words = parameter_in_words(name);
                found.extend(changes(one, other).into_iter().filter_map(|change| of_request(&words, change)));
            }
        }
        for (name, other) in
            after.iter().filter(|(name, other)| other.is_required && !before.contains_key(*name))
        {
            let what = format!("{} is new and required", parameter_in_words(name));
            found.push(finding("parameter-required", other.at.clone(), what, "make it optional"));
        }
    }

    /// By where they stand and what they are called; those of the path by their order there.
    fn named_parameters(self) -> BTreeMap<(String, String), Parameter<'a>> {
        let path_names: Vec<_> = self.path.split('/').filter(|step| step.starts_with('{')).collect();
        let list = self.value.get("parameters").and_then(Value::as_array).into_iter().flatten();
        list.enumerate()
            .filter_map(|(index, value)| {
                let name = value.get("name")?.as_str()?;
                let place = value.get("in")?.as_str()?;
                let at = format!("{}/parameters/{index}", self.at());
                let name = match path_names.iter().position(|step| *step == format!("{{{name}}}")) {
                    Some(position) if place == "path" => format!("{}", position + 1),
                    // Names of headers have no case.
                    _ if place == "header" => name.to_lowercase(),
                    _ => name.to_owned(),
                };
                let schema = value.get("schema").map(|schema| Node {
                    document: self.document,
                    schema,
                    at: format!("{at}/schema"),
                });
                let is_required = value.get("required").and_then(Value::as_bool).unwrap_or_default();
                Some(((place.to_owned(), name), Parameter { at, is_required, schema }))
            })
            .collect()
    }

    fn request(self, new: &Operation<'_>, found: &mut Vec<Finding>) {
        let at = format!("{}/requestBody", new.at());
        let is_required = |body: &Value| body.get("required").and_then(Value::as_bool).unwrap_or_default();
        let (before, after) = match (self.value.get("requestBody"), new.value.get("requestBody")) {
            (None, Some(after)) if is_required(after) => {
                let what = "a body is new and required".to_owned();
                return found.push(finding("body-required", at, what, "make it optional"));
            }
            (Some(before), Some(after)) => (before, after),
            (Some(_), None) => {
                return found.push(note("body-removed", at, "the body is not looked at any more".to_owned()));
            }
            _ => return,
        };
        if !is_required(before) && is_required(after) {
            let what = "the body was optional, and is required now".to_owned();
            found.push(finding("body-required", at, what, "keep it optional"));
        }
        let steps = ["requestBody"];
        for (kind, one, other) in self.contents(new, &steps, before, after) {
            let Some(other) = other else {
                let what = format!("a body of {kind} is not taken any more");
                found.push(finding("request-type-removed", one.at, what, "keep taking it"));
                continue;
            };
            found.extend(
                changes(&one, &other).into_iter().filter_map(|change| of_request("the request", change)),
            );
        }
    }

    fn answers(self, new: &Operation<'_>, found: &mut Vec<Finding>) {
        let after: BTreeMap<_, _> = object(new.value, "responses").collect();
        let before: BTreeMap<_, _> = object(self.value, "responses").collect();
        let is_success = |status: &str| status.starts_with('2');
        for (status, one) in &before {
            let Some(other) = after.get(status) else {
                if is_success(status) {
                    let at = format!("{}/responses/{status}", self.at());
                    let what = format!("{status} is not answered any more");
                    found.push(finding("status-removed", at, what, "keep answering it"));
                }
                continue;
            };
            let steps = ["responses", status.as_str()];
            for (kind, one, other) in self.contents(new, &steps, one, other) {
                let Some(other) = other else {
                    let what = format!("{status} does not come as {kind} any more");
                    found.push(finding(
                        "answer-type-removed",
                        one.at,
                        what,
                        "keep it for those who accept it",
                    ));
                    continue;
                };
                let words = if is_success(status) { "the answer" } else { "a problem" };
                found.extend(changes(&one, &other).into_iter().filter_map(|change| of_answer(words, change)));
            }
        }
        for status in after.keys().filter(|status| is_success(status) && !before.contains_key(*status)) {
            let at = format!("{}/responses/{status}", new.at());
            found.push(note("status-added", at, format!("{status} may be answered as well")));
        }
    }

    /// Schemas by media type, of before and of now.
    fn contents<'b>(
        self,
        new: &Operation<'b>,
        steps: &[&str],
        before: &'a Value,
        after: &'b Value,
    ) -> Vec<(&'a str, Node<'a>, Option<Node<'b>>)> {
        let content = |value: &'a Value| value.get("content").and_then(Value::as_object);
        let mut found = Vec::new();
        for (kind, media) in content(before).into_iter().flatten() {
            let at = |operation: &Operation<'_>| {
                let mut at = operation.at();
                for step in steps.iter().copied().chain(["content", kind.as_str(), "schema"]) {
                    at = format!("{at}/{}", escape(step));
                }
                at
            };
            let node = Node {
                document: self.document,
                schema: media.get("schema").unwrap_or(&Value::Null),
                at: at(&self),
            };
            let other = after.get("content").and_then(|content| content.get(kind)).map(|media| Node {
                document: new.document,
                schema: media.get("schema").unwrap_or(&Value::Null),
                at: at(new),
            });
            found.push((kind.as_str(), node, other));
        }
        found
    }
}

struct Parameter<'a> {
    at: String,
    is_required: bool,
    schema: Option<Node<'a>>,
}

fn parameter_in_words((place, name): &(String, String)) -> String {
    if place == "path" {
        format!("part {name} of the path")
    } else {
        format!("the {place} parameter `{name}`")
    }
}

/// Whether who holds one scope may do what takes the other.
fn allows(held: &str, wanted: &str) -> bool {
    let level = |scope: &str| {
        let (area, level) = scope.rsplit_once(':')?;
        Some((area.to_owned(), LEVELS.iter().position(|one| *one == level)?))
    };
    match (level(held), level(wanted)) {
        (Some((one, held)), Some((other, wanted))) => one == other && held >= wanted,
        _ => held == wanted,
    }
}

fn scopes_in_words(scopes: Option<&[&str]>) -> String {
    match scopes {
        None => "no token".to_owned(),
        Some([]) => "any token".to_owned(),
        Some(scopes) => scopes.join(" and "),
    }
}

/// What clients send may be refused now.
fn of_request(words: &str, change: Change) -> Option<Finding> {
    let Change { rule, effect, at, what } = change;
    let what = format!("in {words}: {what}");
    match effect {
        Effect::Narrows | Effect::Alters => {
            Some(finding(rule, at, what, "keep taking what was taken, or have an operation beside this one"))
        }
        Effect::Widens => (rule == "field-removed").then(|| note("field-ignored", at, what)),
    }
}

/// What clients read may not be what they know. They are told that lists of values grow, and limits of what is
/// answered are for nobody to rely on.
fn of_answer(words: &str, change: Change) -> Option<Finding> {
    let Change { rule, effect, at, what } = change;
    let what = format!("in {words}: {what}");
    match (effect, rule) {
        (Effect::Narrows, _) | (_, "limit-relaxed" | "fields-closed") => None,
        (_, "value-added") => Some(note(rule, at, what)),
        _ => Some(finding(rule, at, what, "keep it, and answer the new one in a field beside it")),
    }
}

fn finding(rule: &'static str, at: String, what: String, instead: &'static str) -> Finding {
    Finding { severity: Severity::Breaking, rule, at, what, breaks: Vec::new(), instead, accepted: None }
}

fn note(rule: &'static str, at: String, what: String) -> Finding {
    let instead = "tell clients; they need not change anything";
    Finding { severity: Severity::Note, rule, at, what, breaks: Vec::new(), instead, accepted: None }
}
