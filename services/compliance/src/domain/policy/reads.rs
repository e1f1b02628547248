//! What a policy asks for, and what it compares that with: where a smallest change can be.

use std::collections::{BTreeMap, BTreeSet};

use cedar_policy::Policy;
use rust_decimal::Decimal;
use serde_json::Value;

/// A place in an event's data, for example `["total"]`.
pub type Path = Vec<String>;

/// What some policies ask for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reads {
    /// Attributes of the data, with what each is compared with.
    pub data: BTreeMap<Path, Compared>,
    /// Purposes, of which is asked what the person said to them.
    pub purposes: BTreeSet<String>,
}

/// What an attribute is compared with.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Compared {
    /// Equal or not, greater or less.
    pub values: Vec<Value>,
    /// As a number, greater or less: `context.numbers`.
    pub numbers: BTreeSet<Decimal>,
    /// Whether it contains them.
    pub elements: Vec<Value>,
}

impl Reads {
    /// What `policy` asks for.
    pub fn of(policy: &Policy) -> Self {
        let mut reads = Self::default();
        if let Ok(json) = policy.to_json() {
            let conditions = json.get("conditions").and_then(Value::as_array);
            for condition in conditions.into_iter().flatten() {
                reads.walk(condition.get("body").unwrap_or(&Value::Null));
            }
        }
        reads
    }

    /// What either asks for.
    pub fn and(&mut self, other: &Self) {
        for (path, compared) in &other.data {
            let all = self.data.entry(path.clone()).or_default();
            all.values.extend(compared.values.iter().cloned());
            all.elements.extend(compared.elements.iter().cloned());
            all.numbers.extend(&compared.numbers);
        }
        self.purposes.extend(other.purposes.iter().cloned());
    }

    fn walk(&mut self, node: &Value) {
        let Some(node) = node.as_object() else { return };
        for (operator, parts) in node {
            self.note(operator, parts);
            match parts {
                Value::Object(parts) => parts.values().for_each(|part| self.walk(part)),
                Value::Array(parts) => parts.iter().for_each(|part| self.walk(part)),
                _ => {}
            }
        }
    }

    fn note(&mut self, operator: &str, parts: &Value) {
        let (left, right) = sides(parts);
        match operator {
            "." => {
                if let Some(chain) = chain(parts) {
                    self.attribute(&chain);
                }
            }
            "has" => {
                let attributes = match parts.get("attr") {
                    Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
                    Some(Value::String(name)) => vec![name.as_str()],
                    _ => Vec::new(),
                };
                if let Some(mut chain) = left.and_then(asked) {
                    for name in attributes {
                        chain.push(name.to_owned());
                        self.attribute(&chain);
                    }
                }
            }
            "contains" | "containsAll" | "containsAny" => {
                let Some(chain) = left.and_then(asked) else { return };
                let elements = right.map(literals).unwrap_or_default();
                if let [set] = chain.as_slice()
                    && ["consented", "refused", "withdrawn", "expired"].contains(&set.as_str())
                {
                    self.purposes.extend(elements.iter().filter_map(Value::as_str).map(str::to_owned));
                } else if let Some(compared) = self.attribute(&chain) {
                    compared.elements.extend(elements);
                }
            }
            "like" => {
                let pattern = parts.get("pattern").and_then(Value::as_array);
                let text = pattern.into_iter().flatten().filter_map(|part| part.get("Literal")?.as_str());
                let text = Value::String(text.collect());
                self.compare(left, &[text]);
            }
            _ => {
                for (one, other) in [(left, right), (right, left)] {
                    let literals = other.map(literals).unwrap_or_default();
                    if !literals.is_empty() {
                        self.compare(one, &literals);
                    }
                }
            }
        }
    }

    fn compare(&mut self, side: Option<&Value>, literals: &[Value]) {
        let Some(chain) = side.and_then(asked) else { return };
        let is_number = chain.first().is_some_and(|first| first == "numbers");
        let Some(compared) = self.attribute(&chain) else { return };
        for literal in literals {
            match literal.as_str().and_then(|text| text.parse().ok()) {
                Some(number) if is_number => drop(compared.numbers.insert(number)),
                _ => compared.values.push(literal.clone()),
            }
        }
    }

    /// The attribute of the data that a chain names: `data.total` and `numbers.total` are the same.
    fn attribute(&mut self, chain: &[String]) -> Option<&mut Compared> {
        match chain.split_first()? {
            (root, path) if !path.is_empty() && (root == "data" || root == "numbers") => {
                Some(self.data.entry(path.to_vec()).or_default())
            }
            _ => None,
        }
    }
}

/// The two sides of an operator, or of a method.
fn sides(parts: &Value) -> (Option<&Value>, Option<&Value>) {
    match parts {
        Value::Array(parts) => (parts.first(), parts.get(1)),
        parts => (parts.get("left"), parts.get("right")),
    }
}

/// `context.data.total` as `["data", "total"]`.
fn asked(node: &Value) -> Option<Path> {
    if node.get("Var").and_then(Value::as_str) == Some("context") {
        return Some(Vec::new());
    }
    chain(node.get(".")?)
}

fn chain(access: &Value) -> Option<Path> {
    let mut path = asked(access.get("left")?)?;
    path.push(access.get("attr")?.as_str()?.to_owned());
    Some(path)
}

/// The constants of an expression that is one, or a set of them, or a decimal.
fn literals(node: &Value) -> Vec<Value> {
    if let Some(value) = node.get("Value").filter(|value| !value.is_object()) {
        return vec![value.clone()];
    }
    let several = node.get("Set").or_else(|| node.get("decimal")).and_then(Value::as_array);
    several.into_iter().flatten().flat_map(literals).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn reads(condition: &str) -> Reads {
        let text = format!("forbid (principal, action, resource) when {{ {condition} }};");
        Reads::of(&Policy::parse(None, text).unwrap())
    }

    fn attribute(condition: &str, name: &str) -> Compared {
        reads(condition).data.remove(&vec![name.to_owned()]).unwrap()
    }

    #[test]
    fn what_is_asked_for_is_found_with_what_it_is_compared_with() {
        let total = attribute(
            "context.numbers has total && context.numbers.total.greaterThan(decimal(\"5.0\"))",
            "total",
        );
        assert_eq!(total.numbers, BTreeSet::from(["5.0".parse().unwrap()]));
        assert_eq!(
            attribute("context.data.name == \"x\" || \"y\" != context.data.name", "name").values,
            ["x", "y"]
        );
        assert_eq!(attribute("context.data.count > 5", "count").values, [json!(5)]);
        assert_eq!(attribute("context.data.tags.containsAny([\"a\", \"b\"])", "tags").elements, ["a", "b"]);
        assert_eq!(attribute("context.data.name like \"a*b\"", "name").values, ["ab"]);
        assert_eq!(attribute("context.data.flag", "flag"), Compared::default());
        let deep = reads("context.data has a.b && context.data.a.b == 1");
        assert_eq!(deep.data[&vec!["a".to_owned(), "b".to_owned()]].values, [json!(1)]);
        let consents = reads("context.withdrawn.contains(\"contact\") && !context.consented.contains(\"x\")");
        assert_eq!(consents.purposes, BTreeSet::from(["contact".to_owned(), "x".to_owned()]));
        assert_eq!(reads("context.type == \"x\" && principal == Actor::\"y\"").data.len(), 0);
    }
}
