//! Files of many records, in and out: what they take of memory beside a small one.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use bhiv_auth::Role;
use futures_util::{StreamExt as _, stream};
use reqwest::{Body, Client};
use serde_json::Value;

use crate::page::Page;
use crate::service::{CRM, Service, token};
use crate::stack::Stack;
use crate::{Result, say};

const AT: &str = "127.0.0.1:29674";

/// Rows of the small file, and of the large one.
const FEW: usize = 10_000;
const MANY: usize = 100_000;

/// As much more memory as the large file may take, in bytes: half of what it is longer when it comes. Whoever kept the rows
/// would take more than they are long; between runs the peak itself differs by some 0.5 MB.
const LIMIT: u64 = 3_600_000;

/// Imports and exports leads.
pub async fn measure(stack: &Stack, page: &mut Page) -> Result {
    Service::set_up(stack, CRM).await?;
    let mut crm = Service::start(stack, CRM, AT, &[]).await?;
    let token = token(stack, "bench", Role::Admin)?;
    // What serves every request is there before it is measured.
    import(&token, "first", FEW, "created").await?;
    export(&token, FEW).await?;
    for (what, kind, outcome) in [
        ("import of new leads", "second", "created"),
        ("the same file again: nothing changes", "second", "unchanged"),
    ] {
        let before = crm.peak()?;
        let begun = Instant::now();
        import(&token, kind, MANY, outcome).await?;
        tell(page, what, crm.peak()?.saturating_sub(before), begun.elapsed());
    }
    let before = crm.peak()?;
    let begun = Instant::now();
    export(&token, FEW + MANY).await?;
    tell(page, "export of all leads", crm.peak()?.saturating_sub(before), begun.elapsed());
    crm.end().await
}

#[expect(clippy::cast_precision_loss, reason = "memory and rows are far below 2^52")]
fn tell(page: &mut Page, what: &str, grown: u64, took: Duration) {
    page.single(
        &format!("crm: {what}, {MANY} rows: memory at its peak beyond that of {FEW}"),
        format!("{:.1} MB", grown as f64 / 1e6),
        &format!("{:.0} rows/s", MANY as f64 / took.as_secs_f64()),
        "3.6 MB",
        grown <= LIMIT,
    );
}

/// Sends a file as it is made, and waits until all of it is imported.
async fn import(token: &str, kind: &'static str, rows: usize, outcome: &str) -> Result {
    let parts = (0..rows.div_ceil(100)).map(move |part| {
        (part * 100..rows.min(part * 100 + 100)).fold(String::new(), |mut text, row| {
            let _ = writeln!(
                text,
                r#"{{"external_id":"{kind}-{row}","name":"{kind} {row}","email":"{kind}.{row}@example.com"}}"#
            );
            text
        })
    });
    let body = Body::wrap_stream(stream::iter(parts.map(Ok::<_, std::convert::Infallible>)));
    let client = Client::new();
    let request = client.post(format!("http://{AT}/crm/import")).bearer_auth(token);
    let answer = request.header("content-type", "application/x-ndjson").body(body).send().await?;
    let import: Value = answer.error_for_status()?.json().await?;
    let id = import.get("id").and_then(Value::as_str).ok_or("an import without an id")?;
    let until = Instant::now() + Duration::from_mins(10);
    loop {
        let import = client.get(format!("http://{AT}/crm/imports/{id}")).bearer_auth(token).send();
        let import: Value = import.await?.error_for_status()?.json().await?;
        let done = import.get(outcome).and_then(Value::as_u64).unwrap_or(0);
        if usize::try_from(done).is_ok_and(|done| done == rows) {
            return Ok(());
        }
        if Instant::now() > until || import.get("status").and_then(Value::as_str) == Some("failed") {
            return Err(format!("the import came to nothing: {import}").into());
        }
        say(&format!("{done} of {rows} rows are {outcome}"));
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

/// Reads a file to its end; every lead has a line.
async fn export(token: &str, leads: usize) -> Result {
    let answer = Client::new().get(format!("http://{AT}/crm/export?format=ndjson")).bearer_auth(token).send();
    let mut parts = answer.await?.error_for_status()?.bytes_stream();
    let mut lines = 0;
    while let Some(part) = parts.next().await {
        lines += part?.split(|byte| *byte == b'\n').count() - 1;
    }
    if lines == leads { Ok(()) } else { Err(format!("{lines} lines of {leads} leads").into()) }
}
