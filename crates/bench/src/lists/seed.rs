//! Fills tables with copies of records that a service made.

use std::collections::HashMap;

use bhiv_auth::Role;
use reqwest::Client;
use serde_json::Value;

use super::tables::{TABLES, Table, column};
use crate::service::token;
use crate::stack::Stack;
use crate::{Result, say};

/// Tables that a list must not read from end to end.
pub const LARGE: &[&str] = &[
    "leads",
    "opportunities",
    "contacts",
    "activities",
    "orders",
    "order_items",
    "deliveries",
    "tasks",
    "feedback",
    "reviews",
    "stock_movements",
    "stock",
    "products",
    "accounts",
];

/// An id that follows from a table and a number, in the order of the numbers.
const BENCH_ID: &str = "
    CREATE OR REPLACE FUNCTION public.bench_id(kind text, n bigint) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$
        SELECT (substr(h, 1, 8) || '-' || substr(h, 9, 4) || '-7' || substr(m, 1, 3) || '-8' || substr(m, 4, 3)
                || '-' || substr(m, 7, 12))::uuid
        FROM (SELECT lpad(to_hex(1780000000000 + n * 1000), 12, '0') AS h, md5(kind || n) AS m) AS parts
    $$";

/// Fills the tables of `service`, which runs at `at`.
pub async fn fill(stack: &Stack, service: &str, at: &str) -> Result {
    stack.sql(BENCH_ID).await?;
    let client = Client::new();
    let token = token(stack, "bench", Role::Admin)?;
    let mut made: HashMap<&str, String> = HashMap::new();
    for table in TABLES.iter().filter(|table| table.service == service) {
        let mut body = table.body.to_owned();
        for (name, id) in &made {
            body = body.replace(&format!("{{{name}}}"), id);
        }
        let request = client
            .post(format!("http://{at}{}", table.path))
            .bearer_auth(&token)
            .header("content-type", "application/json")
            .body(body);
        let answer = request.send().await?;
        let (status, record) = (answer.status(), answer.text().await?);
        if !status.is_success() {
            return Err(format!("POST {}: {status} {record}", table.path).into());
        }
        let record: Value = serde_json::from_str(&record)?;
        let id = record.get("id").and_then(Value::as_str).ok_or("the record has no id")?;
        made.insert(table.name, id.to_owned());
        if table.name == "tasks" {
            made.insert("completed", completed(&client, at, &token).await?);
        }
        for part in std::iter::once((table.name, "id")).chain(table.parts.iter().copied()) {
            multiply(stack, table, part, id).await?;
        }
        say(&format!("{service}.{}: {} rows", table.name, table.count));
    }
    stack.sql("ANALYZE").await?;
    stack.sql("VACUUM").await?;
    Ok(())
}

/// Copies the rows of the record `id` in `part`, each column with a value of its own where it has one.
async fn multiply(stack: &Stack, table: &Table, (part, key): (&str, &str), id: &str) -> Result {
    let (service, count) = (table.service, table.count);
    let columns = stack
        .words(&format!(
            "SELECT string_agg(attname, ',' ORDER BY attnum) FROM pg_attribute
             WHERE attrelid = '{service}.{part}'::regclass AND attnum > 0 AND NOT attisdropped
               AND attgenerated = '' AND attidentity = ''"
        ))
        .await?;
    let columns: Vec<_> = columns.split(',').collect();
    let values = columns.iter().map(|name| {
        if *name == key { format!("public.bench_id('{}', n)", table.name) } else { column(table, part, name) }
    });
    let values: Vec<_> = values.collect();
    let names: Vec<_> = columns.iter().map(|name| format!("\"{name}\"")).collect();
    stack
        .sql(&format!(
            "INSERT INTO {service}.{part} ({})
             SELECT {} FROM {service}.{part} t, generate_series(1, {count}) n WHERE t.{key} = '{id}'",
            names.join(", "),
            values.join(", "),
        ))
        .await?;
    Ok(())
}

/// A task that is done, for what is said only of such.
async fn completed(client: &Client, at: &str, token: &str) -> Result<String> {
    let tasks = format!("http://{at}/task/tasks");
    let new = client.post(&tasks).bearer_auth(token).json(&serde_json::json!({"title": "Done"}));
    let task: Value = new.send().await?.error_for_status()?.json().await?;
    let id = task.get("id").and_then(Value::as_str).ok_or("the task has no id")?.to_owned();
    let done = client.patch(format!("{tasks}/{id}")).bearer_auth(token);
    done.json(&serde_json::json!({"status": "completed"})).send().await?.error_for_status()?;
    Ok(id)
}
