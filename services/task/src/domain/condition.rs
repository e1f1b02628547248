//! The conditions of workflows: CEL over `event` and `data`.

mod typed;

use std::sync::{Arc, LazyLock};

use cel::common::ast::{EntryExpr, Expr, IdedExpr};
use cel::{Context, Env, Program, Value};
use serde_json::Value as Json;

use super::facts::Facts;
use super::stack::with_room;

static ENVIRONMENT: LazyLock<Arc<Env>> = LazyLock::new(|| Arc::new(Env::stdlib()));

/// A text is no condition: where and why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.join("; "))]
pub struct InvalidCondition(pub Vec<String>);

/// How deep brackets may stand in one another.
const MAX_DEPTH: usize = 24;

/// Checks that `source` is a condition about events of that name: that it can be read, speaks of fields that they have,
/// and compares them with what they can be.
///
/// # Errors
/// Each fault with its place; or that it could take too long or too much room.
pub fn check(source: &str, trigger: &str) -> Result<(), InvalidCondition> {
    let compiled = with_room(|| {
        let program = compile(source)?;
        let faults = typed::faults(program.expression(), source, trigger);
        if faults.is_empty() { Ok(()) } else { Err(InvalidCondition(faults)) }
    });
    compiled.unwrap_or_else(|error| Err(InvalidCondition(vec![error])))
}

/// Whether the condition `source` is met.
///
/// # Errors
/// Why that cannot be told.
pub fn is_met(source: &str, facts: &Facts) -> Result<bool, String> {
    with_room(|| {
        let program = compile(source).map_err(|error| error.to_string())?;
        let mut context = Context::with_env(Arc::clone(&ENVIRONMENT));
        context.add_variable_from_value("event", value(&facts.event));
        context.add_variable_from_value("data", value(&facts.data));
        match program.execute(&context) {
            Ok(Value::Bool(is_met)) => Ok(is_met),
            Ok(other) => Err(format!("it is {}, neither true nor false", other.type_of())),
            Err(error) => Err(error.to_string()),
        }
    })?
}

fn compile(source: &str) -> Result<Program, InvalidCondition> {
    let refused = |why: &str| Err(InvalidCondition(vec![why.to_owned()]));
    if depth(source) > MAX_DEPTH {
        return refused("its brackets are nested too deeply");
    }
    let program = ENVIRONMENT.compile(source).map_err(|faults| {
        let place = |(line, column): (isize, isize)| format!("line {line}, column {column}");
        let faults = faults.errors.iter().map(|fault| format!("{}: {}", place(fault.pos), fault.msg));
        InvalidCondition(faults.collect())
    })?;
    // A loop inside a loop would let a long list in an event hold up the events behind it.
    if loops(program.expression()) > 1 { refused("a loop inside a loop is not allowed") } else { Ok(program) }
}

/// How many brackets are open at once, at most. Those in texts count too: that is good enough for a limit.
fn depth(source: &str) -> usize {
    let (mut open, mut deepest) = (0_usize, 0);
    for character in source.chars() {
        match character {
            '(' | '[' | '{' => open += 1,
            ')' | ']' | '}' => open = open.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(open);
    }
    deepest
}

/// JSON does not tell signed from unsigned numbers. CEL does, and calculates with numbers of one kind only.
fn value(json: &Json) -> Value {
    match json {
        Json::Null => Value::Null,
        Json::Bool(bool) => (*bool).into(),
        Json::Number(number) => match number.as_i64() {
            Some(int) => int.into(),
            None => number.as_f64().map_or(Value::Null, Value::Float),
        },
        Json::String(text) => text.as_str().into(),
        Json::Array(items) => items.iter().map(value).collect::<Vec<_>>().into(),
        Json::Object(fields) => {
            let fields = fields.iter().map(|(name, field)| (name.clone(), value(field)));
            fields.collect::<std::collections::HashMap<_, _>>().into()
        }
    }
}

/// How deep loops (`all`, `exists`, `map`, ...) stand in one another.
fn loops(expression: &IdedExpr) -> usize {
    let deepest = |parts: &mut dyn Iterator<Item = &IdedExpr>| parts.map(loops).max().unwrap_or_default();
    match &expression.expr {
        Expr::Unspecified | Expr::Ident(_) | Expr::Literal(_) => 0,
        Expr::Select(select) => loops(&select.operand),
        Expr::Call(call) => deepest(&mut call.args.iter().chain(call.target.as_deref())),
        Expr::List(list) => deepest(&mut list.elements.iter()),
        Expr::Map(map) => deepest(&mut map.entries.iter().flat_map(|entry| parts(&entry.expr))),
        Expr::Struct(record) => deepest(&mut record.entries.iter().flat_map(|entry| parts(&entry.expr))),
        Expr::Comprehension(each) => {
            let body = [&each.accu_init, &each.loop_cond, &each.loop_step, &each.result];
            loops(&each.iter_range).max(1 + deepest(&mut body.into_iter()))
        }
    }
}

fn parts(entry: &EntryExpr) -> Vec<&IdedExpr> {
    match entry {
        EntryExpr::StructField(field) => vec![&field.value],
        EntryExpr::MapEntry(entry) => vec![&entry.key, &entry.value],
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn facts() -> Facts {
        Facts {
            event: json!({"actor": "user/ravi", "sequence": 2}),
            data: json!({
                "budget": "25000.50", "score": 0.7, "available": 3, "need": null, "huge": u64::MAX,
                "items": [{"sku": "RACK-20", "quantity": 2}, {"sku": "BOLT", "quantity": 90}],
            }),
        }
    }

    fn ask(source: &str) -> Result<bool, String> {
        is_met(source, &facts())
    }

    #[test]
    fn it_knows_the_event_and_its_data() {
        for met in [
            "event.actor != 'service/crm' && event.sequence == 2",
            "double(data.budget) > 25000.0",
            "data.available - 4 < 0 && data.available == 3",
            "data.score >= 0.5 && data.huge > 1.0e19",
            "data.need == null && !has(data.colour)",
            "data.items.exists(item, item.quantity > 50) && data.items.all(item, item.sku != '')",
            "data.items[0].sku.matches('^RACK-[0-9]+$')",
        ] {
            assert_eq!(ask(met), Ok(true), "{met}");
        }
        assert_eq!(ask("size(data.items) > 2"), Ok(false));
    }

    #[test]
    fn what_cannot_be_told_is_an_error() {
        assert_eq!(ask("data.colour == 'red'").unwrap_err(), "No such key: colour");
        assert_eq!(ask("data.available").unwrap_err(), "it is int, neither true nor false");
        assert!(ask("data.score / 0.0 > data.need").is_err());
        assert!(ask("1 / 0 == 1").is_err());
        assert!(ask("nothing.of.the.kind").is_err());
    }

    #[test]
    fn a_fault_says_its_place() {
        let check = |source: &str| check(source, "unheard_of");
        let InvalidCondition(faults) = check("data.a ==\n  && true").unwrap_err();
        assert!(faults[0].starts_with("line 2, column "), "{faults:?}");
        assert!(check("").is_err());
    }

    #[test]
    fn what_is_nested_deeply_is_an_answer_all_the_same() {
        let nested =
            |open: &str, close: &str, depth| format!("{}1{}", open.repeat(depth), close.repeat(depth));
        for (open, close) in [("(", ")"), ("[", "]"), ("{1:", "}"), ("data.items[", "]"), ("size(", ")")] {
            assert!(is_met(&nested(open, close, MAX_DEPTH), &facts()).is_err(), "{open}");
            assert!(check(&nested(open, close, MAX_DEPTH + 1), "unheard_of").is_err(), "{open}");
            assert!(check(&nested(open, "", 900), "unheard_of").is_err(), "{open}");
        }
        assert!(is_met(&nested("1+", "", 499), &facts()).unwrap_err().starts_with("it is int"));
    }

    #[test]
    fn loops_stand_side_by_side_only() {
        let check = |source: &str| check(source, "unheard_of");
        assert!(check("data.a.map(x, x + 1).exists(y, y > 2)").is_ok());
        for source in ["data.a.all(x, data.b.all(y, x != y))", "[1].map(x, {'k': [x].filter(y, true)}) == []"]
        {
            assert!(check(source).is_err(), "{source}");
        }
    }
}
