//! How the values that a JSON Schema allows differ from those that it allowed before.
//!
//! One comparison serves every document: whether a difference breaks somebody depends on who writes the values
//! and who reads them, and that is decided by whoever asks.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::limits;

/// What a change does to the values that are allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Values are allowed that were not: who reads them may not understand them.
    Widens,
    /// Values are not allowed any more: who writes them is refused.
    Narrows,
    /// Both.
    Alters,
}

/// One difference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    pub rule: &'static str,
    pub effect: Effect,
    /// JSON pointer into the newer document; into the older one for what was removed.
    pub at: String,
    pub what: String,
}

/// A schema in its document.
#[derive(Clone, Debug)]
pub struct Node<'a> {
    pub document: &'a Value,
    pub schema: &'a Value,
    pub at: String,
}

impl<'a> Node<'a> {
    /// The schema at `pointer`, if there is one.
    pub fn at(document: &'a Value, pointer: &str) -> Option<Self> {
        let schema = document.pointer(pointer.strip_prefix('#').unwrap_or(pointer))?;
        Some(Self { document, schema, at: pointer.to_owned() })
    }

    fn child(&self, schema: &'a Value, steps: &[&str]) -> Self {
        let mut at = self.at.clone();
        for step in steps {
            at.push('/');
            at.push_str(&escape(step));
        }
        Self { document: self.document, schema, at }
    }
}

/// A step of a JSON pointer (RFC 6901).
pub fn escape(step: &str) -> String {
    step.replace('~', "~0").replace('/', "~1")
}

/// What changed from `old` to `new`, in everything that they refer to as well.
pub fn changes(old: &Node<'_>, new: &Node<'_>) -> Vec<Change> {
    let mut comparison = Comparison::default();
    comparison.compare(old, new);
    comparison.changes
}

#[derive(Default)]
struct Comparison {
    /// Pairs of places that are being compared, or were: a tree refers to itself.
    seen: BTreeSet<(String, String)>,
    changes: Vec<Change>,
}

/// A schema with its references followed and its parts put together.
#[derive(Clone, Debug)]
struct Flat<'a> {
    at: String,
    /// `None` is any type.
    types: Option<BTreeSet<&'a str>>,
    nullable: bool,
    required: BTreeSet<&'a str>,
    properties: BTreeMap<&'a str, Node<'a>>,
    /// Schemas of the rest: `items`, `additionalProperties`, `propertyNames`.
    within: BTreeMap<&'static str, Node<'a>>,
    /// Whether fields that it does not name are refused.
    closed: bool,
    variants: Vec<Node<'a>>,
    keywords: BTreeMap<&'a str, &'a Value>,
}

const WITHIN: [&str; 3] = ["items", "additionalProperties", "propertyNames"];

impl<'a> Flat<'a> {
    fn of(node: &Node<'a>) -> Self {
        let mut flat = Self {
            at: node.at.clone(),
            types: None,
            nullable: false,
            required: BTreeSet::new(),
            properties: BTreeMap::new(),
            within: BTreeMap::new(),
            closed: false,
            variants: Vec::new(),
            keywords: BTreeMap::new(),
        };
        flat.add(node, 0);
        flat
    }

    /// Takes in what `node` says. Schemas that refer to nothing but each other would never end.
    fn add(&mut self, node: &Node<'a>, depth: u8) {
        let Some(schema) = node.schema.as_object().filter(|_| depth < 32) else { return };
        if let Some(target) = schema.get("$ref").and_then(Value::as_str)
            && let Some(target) = Node::at(node.document, target)
        {
            self.at.clone_from(&target.at);
            self.add(&target, depth + 1);
        }
        for (index, part) in list(schema, "allOf").enumerate() {
            // Where the whole is does not change with its parts.
            let at = self.at.clone();
            self.add(&node.child(part, &["allOf", &index.to_string()]), depth + 1);
            self.at = at;
        }
        self.add_types(schema);
        self.add_fields(node, schema);
        for word in ["oneOf", "anyOf"] {
            self.add_variants(node, schema, word, depth);
        }
        let simple = ["enum", "const", "format"].into_iter().chain(limits::WORDS);
        for word in simple {
            if let Some((word, value)) = schema.get_key_value(word) {
                self.keywords.insert(word, value);
            }
        }
    }

    fn add_types(&mut self, schema: &'a Map<String, Value>) {
        let mut types: BTreeSet<&str> = match schema.get("type") {
            Some(Value::String(one)) => BTreeSet::from([one.as_str()]),
            Some(Value::Array(several)) => several.iter().filter_map(Value::as_str).collect(),
            _ => return,
        };
        self.nullable |= types.remove("null");
        if types.contains("number") {
            types.insert("integer");
        }
        if !types.is_empty() {
            self.types = Some(types);
        }
    }

    fn add_fields(&mut self, node: &Node<'a>, schema: &'a Map<String, Value>) {
        self.required.extend(list(schema, "required").filter_map(Value::as_str));
        for (name, property) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
            self.properties.insert(name, node.child(property, &["properties", name]));
        }
        for word in WITHIN {
            match schema.get(word) {
                Some(Value::Bool(false)) if word == "additionalProperties" => self.closed = true,
                Some(inner @ Value::Object(_)) => {
                    self.within.insert(word, node.child(inner, &[word]));
                }
                _ => {}
            }
        }
    }

    /// `null` among the variants only says that it may be null, and a single other variant is the schema itself.
    fn add_variants(&mut self, node: &Node<'a>, schema: &'a Map<String, Value>, word: &str, depth: u8) {
        let is_null = |variant: &Value| variant.get("type").and_then(Value::as_str) == Some("null");
        let variants: Vec<_> = list(schema, word)
            .enumerate()
            .filter(|(_, variant)| !is_null(variant))
            .map(|(index, variant)| node.child(variant, &[word, &index.to_string()]))
            .collect();
        self.nullable |= list(schema, word).any(is_null);
        if let [one] = variants.as_slice() {
            let at = self.at.clone();
            self.add(one, depth + 1);
            self.at = at;
        } else {
            self.variants.extend(variants);
        }
    }

    /// The values that it lists; `None` when it lists none.
    fn values(&self) -> Option<Vec<&'a Value>> {
        let listed = self.keywords.get("enum").and_then(|values| values.as_array());
        let listed = listed.map(|values| values.iter().filter(|value| !value.is_null()).collect());
        listed.or_else(|| self.keywords.get("const").map(|value| vec![*value]))
    }
}

fn list<'a>(schema: &'a Map<String, Value>, word: &str) -> impl Iterator<Item = &'a Value> {
    schema.get(word).and_then(Value::as_array).into_iter().flatten()
}

impl Comparison {
    fn compare(&mut self, old: &Node<'_>, new: &Node<'_>) {
        let (old_flat, new_flat) = (Flat::of(old), Flat::of(new));
        if !self.seen.insert((old_flat.at.clone(), new_flat.at.clone())) {
            return;
        }
        match (old_flat.nullable, new_flat.nullable) {
            (false, true) => {
                self.found("null-added", Effect::Widens, &new_flat.at, "it may be null now".into());
            }
            (true, false) => {
                self.found(
                    "null-removed",
                    Effect::Narrows,
                    &new_flat.at,
                    "it may not be null any more".into(),
                );
            }
            _ => {}
        }
        if old_flat.variants.is_empty() && new_flat.variants.is_empty() {
            self.scalars(&old_flat, &new_flat);
        } else {
            self.variants(&old_flat, old, &new_flat, new);
        }
        self.fields(&old_flat, &new_flat);
        for (word, old) in &old_flat.within {
            if let Some(new) = new_flat.within.get(word) {
                self.compare(old, new);
            }
        }
    }

    fn found(&mut self, rule: &'static str, effect: Effect, at: &str, what: String) {
        self.changes.push(Change { rule, effect, at: at.to_owned(), what });
    }

    fn scalars(&mut self, old: &Flat<'_>, new: &Flat<'_>) {
        self.types(old, new);
        self.format(old, new);
        self.values(old, new);
        for (rule, effect, what) in limits::changes(&old.keywords, &new.keywords) {
            self.found(rule, effect, &new.at, what);
        }
    }

    fn types(&mut self, old: &Flat<'_>, new: &Flat<'_>) {
        let effect = match (&old.types, &new.types) {
            (Some(old), Some(new)) => effect(!new.is_subset(old), !old.is_subset(new)),
            (Some(_), None) => Some(Effect::Widens),
            (None, Some(_)) => Some(Effect::Narrows),
            (None, None) => None,
        };
        if let Some(effect) = effect {
            let what = format!("its type was {}, and is {}", types_in_words(old), types_in_words(new));
            self.found("type-changed", effect, &new.at, what);
        }
    }

    fn format(&mut self, old: &Flat<'_>, new: &Flat<'_>) {
        let format = |flat: &Flat<'_>| {
            flat.keywords.get("format").and_then(|format| format.as_str()).unwrap_or("none").to_owned()
        };
        let (old, at, new) = (format(old), &new.at, format(new));
        if old != new {
            let effect = match (old.as_str(), new.as_str()) {
                (_, "none") | ("int32", "int64") | ("float", "double") => Effect::Widens,
                ("none", _) | ("int64", "int32") | ("double", "float") => Effect::Narrows,
                _ => Effect::Alters,
            };
            self.found("format-changed", effect, at, format!("its format was {old}, and is {new}"));
        }
    }

    fn values(&mut self, old: &Flat<'_>, new: &Flat<'_>) {
        let at = &new.at;
        match (old.values(), new.values()) {
            (Some(before), Some(after)) => {
                for value in after.iter().filter(|value| !before.contains(value)) {
                    self.found("value-added", Effect::Widens, at, format!("the value {value} is new"));
                }
                for value in before.iter().filter(|value| !after.contains(value)) {
                    self.found("value-removed", Effect::Narrows, at, format!("the value {value} is gone"));
                }
            }
            (Some(_), None) => {
                self.found("value-added", Effect::Widens, at, "it may have any value now".to_owned());
            }
            (None, Some(after)) => {
                let what = format!("it may only have {} values now", after.len());
                self.found("value-removed", Effect::Narrows, at, what);
            }
            (None, None) => {}
        }
    }

    fn fields(&mut self, old: &Flat<'_>, new: &Flat<'_>) {
        for (name, before) in &old.properties {
            let Some(after) = new.properties.get(name) else {
                // Where other fields are let through, one that is not known any more is just not looked at.
                let effect = if new.closed { Effect::Alters } else { Effect::Widens };
                self.found("field-removed", effect, &before.at, format!("the field `{name}` is gone"));
                continue;
            };
            match (old.required.contains(name), new.required.contains(name)) {
                (true, false) => {
                    let what = format!("the field `{name}` was always there, and may be absent now");
                    self.found("field-optional", Effect::Widens, &after.at, what);
                }
                (false, true) => {
                    let what = format!("the field `{name}` was optional, and is required now");
                    self.found("field-required", Effect::Narrows, &after.at, what);
                }
                _ => {}
            }
            self.compare(before, after);
        }
        for (name, after) in &new.properties {
            if new.required.contains(name) && !old.properties.contains_key(name) {
                let what = format!("the field `{name}` is new and required");
                self.found("field-required", Effect::Narrows, &after.at, what);
            }
        }
        if new.closed && !old.closed && !old.properties.is_empty() {
            let what = "fields that it does not name are refused now".to_owned();
            self.found("fields-closed", Effect::Narrows, &new.at, what);
        }
    }

    /// Inside of what is being compared already, or a form that has itself within would have no end.
    fn are_same(&self, old: &Node<'_>, new: &Node<'_>) -> bool {
        let mut inner = Self { seen: self.seen.clone(), changes: Vec::new() };
        inner.compare(old, new);
        inner.changes.is_empty()
    }

    fn variants<'a>(&mut self, old: &Flat<'a>, old_node: &Node<'a>, new: &Flat<'a>, new_node: &Node<'a>) {
        let all = |flat: &Flat<'a>, node: &Node<'a>| {
            if flat.variants.is_empty() { vec![node.clone()] } else { flat.variants.clone() }
        };
        let mut gone = all(old, old_node);
        let mut added = all(new, new_node);
        // By what they are called; what was only renamed is found by what it is.
        for (one, other) in pair(&mut gone, &mut added, |one, other| name(one) == name(other)) {
            self.compare(&one, &other);
        }
        pair(&mut gone, &mut added, |one, other| self.are_same(one, other));
        if let ([one], [other]) = (gone.as_slice(), added.as_slice()) {
            return self.compare(one, other);
        }
        for one in &gone {
            let what = format!("the form {} is gone", name(one));
            self.found("variant-removed", Effect::Narrows, &one.at, what);
        }
        for other in &added {
            let what = format!("the form {} is new", name(other));
            self.found("variant-added", Effect::Widens, &other.at, what);
        }
    }
}

/// Takes out of both lists what belongs together, and answers it.
fn pair<'a>(
    old: &mut Vec<Node<'a>>,
    new: &mut Vec<Node<'a>>,
    belong: impl Fn(&Node<'a>, &Node<'a>) -> bool,
) -> Vec<(Node<'a>, Node<'a>)> {
    let mut pairs = Vec::new();
    old.retain(|one| {
        let Some(index) = new.iter().position(|other| belong(one, other)) else { return true };
        pairs.push((one.clone(), new.remove(index)));
        false
    });
    pairs
}

/// What one form among several is called: by what it refers to, by its title, or by the tag that tells it apart.
fn name(node: &Node<'_>) -> String {
    let text = |word| node.schema.get(word).and_then(Value::as_str);
    if let Some(name) = text("$ref").and_then(|target| target.rsplit('/').next()).or_else(|| text("title")) {
        return name.to_owned();
    }
    let flat = Flat::of(node);
    let tag =
        flat.properties.iter().find_map(|(name, property)| match Flat::of(property).values()?.as_slice() {
            [one] => Some(format!("{name}={one}")),
            _ => None,
        });
    let fields = || flat.required.iter().copied().collect::<Vec<_>>().join(", ");
    tag.unwrap_or_else(|| if flat.required.is_empty() { types_in_words(&flat) } else { fields() })
}

fn types_in_words(flat: &Flat<'_>) -> String {
    match &flat.types {
        None => "any".to_owned(),
        Some(types) if types.contains("number") => {
            types.iter().copied().filter(|name| *name != "integer").collect::<Vec<_>>().join(" or ")
        }
        Some(types) => types.iter().copied().collect::<Vec<_>>().join(" or "),
    }
}

/// The effect of something that may have widened and narrowed.
pub fn effect(widens: bool, narrows: bool) -> Option<Effect> {
    match (widens, narrows) {
        (true, true) => Some(Effect::Alters),
        (true, false) => Some(Effect::Widens),
        (false, true) => Some(Effect::Narrows),
        (false, false) => None,
    }
}
