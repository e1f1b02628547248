//! Whether a condition speaks of what its event has: fields that there are, compared with what they can be.

use std::collections::BTreeSet;

use bhiv_events::find_named;
use cel::common::ast::{CallExpr, ComprehensionExpr, EntryExpr, Expr, IdedExpr, LiteralValue, SelectExpr};
use serde_json::{Value as Json, json};

/// What conditions can name besides variables of their own.
const NAMES: [&str; 12] =
    ["event", "data", "bool", "bytes", "double", "int", "list", "map", "null_type", "string", "type", "uint"];

/// What every event has.
const EVENT: [&str; 8] = ["id", "type", "name", "subject", "sequence", "actor", "time", "correlationid"];

/// What compares, and what calculates.
const COMPARING: [&str; 6] = ["_==_", "_!=_", "_<_", "_<=_", "_>_", "_>=_"];

/// Every fault of a condition about events of that name, with its place in `source`.
pub fn faults(expression: &IdedExpr, source: &str, trigger: &str) -> Vec<String> {
    // Whoever publishes an event of their own decides what it has.
    let schemas: Vec<_> = find_named(trigger).iter().map(|entry| (entry.schema)().to_value()).collect();
    let mut check = Check { schemas, source, trigger, own: Vec::new(), faults: Vec::new() };
    check.visit(expression);
    if let Some(kind) = check.kinds(expression)
        && !kind.contains("boolean")
    {
        check.faults.push(format!("line 1, column 1: it is {}, neither true nor false", words(&kind)));
    }
    check.faults
}

struct Check<'a> {
    schemas: Vec<Json>,
    source: &'a str,
    trigger: &'a str,
    /// Variables of loops.
    own: Vec<String>,
    faults: Vec<String>,
}

impl Check<'_> {
    fn visit(&mut self, expression: &IdedExpr) {
        match &expression.expr {
            Expr::Unspecified | Expr::Literal(_) => {}
            Expr::Ident(name) => self.name(name),
            Expr::Select(select) => self.select(select),
            Expr::Call(call) => self.call(call),
            Expr::List(list) => list.elements.iter().for_each(|element| self.visit(element)),
            Expr::Map(map) => map.entries.iter().for_each(|entry| self.entry(&entry.expr)),
            Expr::Struct(record) => record.entries.iter().for_each(|entry| self.entry(&entry.expr)),
            Expr::Comprehension(each) => self.each(each),
        }
    }

    fn name(&mut self, name: &str) {
        if !NAMES.contains(&name) && !self.own.iter().any(|own| own == name) {
            self.fault(name, format!("nothing is called '{name}'; there are event and data"));
        }
    }

    fn entry(&mut self, entry: &EntryExpr) {
        match entry {
            EntryExpr::StructField(field) => self.visit(&field.value),
            EntryExpr::MapEntry(entry) => {
                self.visit(&entry.key);
                self.visit(&entry.value);
            }
        }
    }

    fn each(&mut self, each: &ComprehensionExpr) {
        self.visit(&each.iter_range);
        let outside = self.own.len();
        self.own.extend([each.iter_var.clone(), each.accu_var.clone()]);
        self.own.extend(each.iter_var2.clone());
        for part in [&each.accu_init, &each.loop_cond, &each.loop_step, &each.result] {
            self.visit(part);
        }
        self.own.truncate(outside);
    }

    fn call(&mut self, call: &CallExpr) {
        call.target.iter().for_each(|target| self.visit(target));
        call.args.iter().for_each(|argument| self.visit(argument));
        let [left, right] = call.args.as_slice() else { return };
        if !COMPARING.contains(&call.func_name.as_str()) {
            return;
        }
        let (Some(of_left), Some(of_right)) = (self.kinds(left), self.kinds(right)) else { return };
        if of_left.is_disjoint(&of_right) {
            let (text, number) = ("string", "number");
            let hint = if of_left.contains(text) && of_right.contains(number)
                || of_left.contains(number) && of_right.contains(text)
            {
                "; double(...) makes a number of a text"
            } else {
                ""
            };
            let place = path(left).or_else(|| path(right)).unwrap_or_default();
            let said = format!("{} is compared with {}{hint}", words(&of_left), words(&of_right));
            self.fault(&place, said);
        }
    }

    /// `has(data.colour)` asks whether a field is there: it must be one that can be.
    fn select(&mut self, select: &SelectExpr) {
        self.visit(&select.operand);
        let Some(above) = path(&select.operand) else { return };
        let place = format!("{above}.{}", select.field);
        if above == "event" && !EVENT.contains(&select.field.as_str()) {
            self.fault(&place, format!("events have no '{}'; they have {}", select.field, EVENT.join(", ")));
        }
        let Some(nodes) = self.nodes(&select.operand) else { return };
        let there: BTreeSet<_> = nodes.iter().flat_map(fields).collect();
        if !there.contains(select.field.as_str()) {
            let names = there.iter().copied().collect::<Vec<_>>().join(", ");
            let has = if there.is_empty() { "has no fields".to_owned() } else { format!("has {names}") };
            self.fault(&place, format!("{} has no '{place}'; {above} {has}", self.trigger));
        }
    }

    /// The schemas that this part of the event may have; nothing when that is not known, or anything.
    fn nodes(&self, expression: &IdedExpr) -> Option<Vec<Json>> {
        if self.schemas.is_empty() {
            return None;
        }
        let path = path(expression)?;
        let mut steps = path.split('.');
        if steps.next() != Some("data") {
            return None;
        }
        let mut nodes: Vec<Json> = self.schemas.iter().flat_map(|root| plain(root, root)).collect();
        for step in steps {
            let mut below = Vec::new();
            for node in &nodes {
                if let Some(field) = node.pointer(&format!("/properties/{step}")) {
                    below.extend(self.schemas.iter().flat_map(|root| plain(root, field)));
                }
            }
            nodes = below;
        }
        // What may have any field has all of them.
        let is_open = |node: &Json| {
            node.get("type").is_none()
                || node.get("additionalProperties").is_some_and(|more| *more != Json::Bool(false))
        };
        (!nodes.is_empty() && !nodes.iter().any(is_open)).then_some(nodes)
    }

    /// What this can be, as JSON Schema calls it; integers are numbers. Nothing when that is not known.
    fn kinds(&self, expression: &IdedExpr) -> Option<BTreeSet<String>> {
        let one = |kind: &str| Some(BTreeSet::from([kind.to_owned()]));
        match &expression.expr {
            Expr::Literal(LiteralValue::Boolean(_)) => one("boolean"),
            Expr::Literal(LiteralValue::Int(_) | LiteralValue::UInt(_) | LiteralValue::Double(_)) => {
                one("number")
            }
            Expr::Literal(LiteralValue::String(_)) => one("string"),
            Expr::Literal(LiteralValue::Null) => one("null"),
            Expr::Select(select) if !select.test => {
                let nodes = self.nodes(expression)?;
                let kinds = nodes.iter().flat_map(|node| match &node["type"] {
                    Json::Array(several) => several.clone(),
                    kind => vec![kind.clone()],
                });
                let kinds =
                    kinds.filter_map(|kind| kind.as_str().map(|kind| kind.replace("integer", "number")));
                let mut kinds: BTreeSet<_> = kinds.collect();
                // A decimal may be read as either, but it is always told as a text.
                if kinds.contains("string") {
                    kinds.remove("number");
                }
                Some(kinds)
            }
            _ => None,
        }
    }

    fn fault(&mut self, place: &str, says: String) {
        let at = self.source.find(place).unwrap_or_default();
        let before = self.source.get(..at).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        let fault = format!("line {line}, column {column}: {says}");
        if !self.faults.contains(&fault) {
            self.faults.push(fault);
        }
    }
}

/// `data.items` as it is written; nothing for what is no such way.
fn path(expression: &IdedExpr) -> Option<String> {
    match &expression.expr {
        Expr::Ident(name) => Some(name.clone()),
        Expr::Select(select) => Some(format!("{}.{}", path(&select.operand)?, select.field)),
        _ => None,
    }
}

/// The schemas that `node` stands for, without references and alternatives.
fn plain(root: &Json, node: &Json) -> Vec<Json> {
    if let Some(reference) = node.get("$ref").and_then(Json::as_str) {
        let named = root.pointer(reference.trim_start_matches('#'));
        return named.map_or_else(|| vec![json!({})], |named| plain(root, named));
    }
    for several in ["anyOf", "oneOf"] {
        if let Some(Json::Array(nodes)) = node.get(several) {
            return nodes.iter().flat_map(|node| plain(root, node)).collect();
        }
    }
    vec![node.clone()]
}

fn fields(node: &Json) -> impl Iterator<Item = &str> {
    let properties = node.get("properties").and_then(Json::as_object);
    properties.into_iter().flat_map(|properties| properties.keys().map(String::as_str))
}

fn words(kinds: &BTreeSet<String>) -> String {
    kinds.iter().map(|kind| format!("a {kind}")).collect::<Vec<_>>().join(" or ").replace("a null", "null")
}

#[cfg(test)]
mod tests {
    use super::super::check;

    fn faults(source: &str) -> Vec<String> {
        check(source, "lead_created").err().map(|fault| fault.0).unwrap_or_default()
    }

    #[test]
    fn what_an_event_has_may_be_asked() {
        for good in [
            "data.budget != null && double(data.budget) > 10000.0",
            "has(data.company) && data.company.startsWith('A')",
            "event.actor != 'service/crm' && event.sequence == 1",
            "[1, 2].exists(x, x == 2) && type(data.name) == string",
            "data.name in ['Asha', 'Ravi']",
        ] {
            assert_eq!(faults(good), [""; 0], "{good}");
        }
    }

    #[test]
    fn what_it_has_not_is_named_with_its_place() {
        let [fault] = faults("data.name == 'x' &&\n  data.colour == 'red'").try_into().unwrap();
        assert!(
            fault.starts_with("line 2, column 3: lead_created has no 'data.colour'; data has "),
            "{fault}"
        );
        assert!(faults("has(data.colour)")[0].contains("no 'data.colour'"));
        assert!(faults("data.name.first == 'x'")[0].ends_with("data.name has no fields"));
        assert!(faults("dta.name == 'x'")[0].starts_with("line 1, column 1: nothing is called 'dta'"));
        assert!(faults("event.colour == 'x'")[0].contains("events have no 'colour'"));
        assert!(faults("[1].all(x, y == 2)")[0].contains("'y'"));
    }

    #[test]
    fn what_can_never_be_equal_is_a_fault() {
        let [fault] = faults("data.budget > 10000").try_into().unwrap();
        assert!(fault.ends_with("double(...) makes a number of a text"), "{fault}");
        assert!(faults("data.name == 1")[0].contains("a string is compared with a number"));
        assert!(faults("data.name")[0].ends_with("it is a string, neither true nor false"));
        assert!(faults("1 == null")[0].contains("a number is compared with null"));
    }

    /// Custom events have what whoever publishes them gives them.
    #[test]
    fn of_what_is_not_known_anything_may_be_asked() {
        assert_eq!(check("data.anything.at.all == 1", "unheard_of"), Ok(()));
    }
}
