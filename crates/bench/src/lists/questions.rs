//! What can be asked of a service's lists, from its OpenAPI document.

use std::fmt;

use reqwest::Client;
use serde_json::Value;

use crate::{Result, say};

/// Who asks, and where.
#[derive(Clone, Copy, Debug)]
pub struct Asker<'a> {
    pub at: &'a str,
    pub token: &'a str,
    /// For example `by a seller`.
    pub says: &'a str,
}

/// A list, in one order or with one filter.
#[derive(Clone, Debug)]
pub struct Question {
    url: String,
    says: String,
    token: String,
}

impl fmt::Display for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.says)
    }
}

impl Question {
    fn new(asker: &Asker<'_>, path: &str) -> Self {
        let Asker { at, token, says } = asker;
        let url = format!("http://{at}{path}");
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let query = if query.contains("cursor=") { "a later part" } else { query };
        let words = [path, query, says].into_iter().filter(|word| !word.is_empty());
        Self { url, says: words.collect::<Vec<_>>().join(" "), token: (*token).to_owned() }
    }

    /// Asks, and reads the answer to its end.
    pub async fn ask(&self, client: &Client) -> Result {
        self.answer(client).await.map(drop)
    }

    async fn answer(&self, client: &Client) -> Result<Value> {
        let answer = client.get(&self.url).bearer_auth(&self.token).send().await?;
        let status = answer.status();
        let body = answer.bytes().await?;
        if !status.is_success() {
            return Err(format!("{self}: {status} {}", String::from_utf8_lossy(&body)).into());
        }
        Ok(serde_json::from_slice(&body)?)
    }
}

/// Everything that the lists of a service can be asked.
pub async fn of(asker: Asker<'_>) -> Result<Vec<Question>> {
    let at = asker.at;
    let client = Client::new();
    let document: Value = client.get(format!("http://{at}/openapi.json")).send().await?.json().await?;
    let mut questions = Vec::new();
    for (path, operations) in document.get("paths").and_then(Value::as_object).into_iter().flatten() {
        let Some(operation) = operations.get("get").filter(|_| !path.contains('{')) else { continue };
        let parameters = list(operation.get("parameters"));
        let needed = parameters.iter().filter(|it| it.get("required") == Some(&Value::Bool(true)));
        let is_list = parameters.iter().any(|it| name(it) == "cursor");
        if !is_list || needed.count() > 0 {
            continue;
        }
        let plain = Question::new(&asker, path);
        let first = plain.answer(&client).await?;
        questions.push(plain);
        let items = list(first.get("items"));
        if let Some(cursor) = first.get("next_cursor").and_then(Value::as_str) {
            questions.push(Question::new(&asker, &format!("{path}?limit=200&cursor={cursor}")));
        }
        for parameter in parameters.iter().filter(|it| !["cursor", "limit"].contains(&name(it))) {
            let values = values(&document, parameter, &items);
            if values.is_empty() {
                say(&format!("{path}: nothing to ask for by {}", name(parameter)));
            }
            for value in values {
                questions.push(Question::new(&asker, &format!("{path}?{}={value}", name(parameter))));
            }
        }
    }
    Ok(questions)
}

fn list(value: Option<&Value>) -> Vec<Value> {
    value.and_then(Value::as_array).cloned().unwrap_or_default()
}

fn name(parameter: &Value) -> &str {
    parameter.get("name").and_then(Value::as_str).unwrap_or_default()
}

/// All of an enum; words that many records have and that one has; else what an item of the list has there.
fn values(document: &Value, parameter: &Value, items: &[Value]) -> Vec<String> {
    let schema = parameter.get("schema").unwrap_or(&Value::Null);
    let schema = resolved(document, schema);
    if let Some(names) = schema.get("enum").and_then(Value::as_array) {
        return names.iter().filter_map(Value::as_str).map(str::to_owned).collect();
    }
    if name(parameter) == "q" {
        return vec!["asha".to_owned(), "asha%20verma%2077".to_owned(), "nobody".to_owned()];
    }
    let is = |key: &str, wanted: &str| match schema.get(key) {
        Some(Value::Array(several)) => several.iter().any(|it| it == wanted),
        Some(one) => one == wanted,
        None => false,
    };
    if is("type", "boolean") {
        return vec!["true".to_owned(), "false".to_owned()];
    }
    let of_item = items.iter().find_map(|item| match item.get(name(parameter))? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    });
    let fixed = if is("format", "date-time") {
        Some("2026-10-01T00:00:00Z".to_owned())
    } else if is("format", "date") {
        Some("2026-10-01".to_owned())
    } else if is("type", "integer") || is("type", "number") {
        Some("1".to_owned())
    } else {
        None
    };
    of_item.or(fixed).map(|value| encoded(&value)).into_iter().collect()
}

fn encoded(value: &str) -> String {
    value.replace('%', "%25").replace('+', "%2B").replace('&', "%26").replace(' ', "%20").replace('/', "%2F")
}

/// What a schema refers to, also as "null or that".
fn resolved<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    let reference = |schema: &'a Value| schema.get("$ref").and_then(Value::as_str);
    let branches = schema.get("oneOf").or_else(|| schema.get("anyOf")).and_then(Value::as_array);
    let found = reference(schema)
        .or_else(|| branches.into_iter().flatten().chain(schema.get("allOf")).find_map(reference));
    match found.and_then(|reference| document.pointer(reference.trim_start_matches('#'))) {
        Some(target) => target,
        None => schema,
    }
}
