//! Requests to rows.

use std::path::{Path, PathBuf};
use std::time::Duration;

use bhiv_auth::Role;
use bhiv_db::Conn;
use diesel_async::{AsyncConnection as _, RunQueryDsl as _};
use tokio::process::Command as Process;

use crate::page::Page;
use crate::relay::per_second;
use crate::service::{CRM, Service, token};
use crate::stack::Stack;
use crate::wrk::{script, word_after};
use crate::{Result, say, share, wrk};

const ADDRESS: &str = "127.0.0.1:29650";
const LEADS: &str = "http://127.0.0.1:29650/crm/leads";

pub async fn measure(stack: &Stack, page: &mut Page, runs: usize, seconds: u64, clients: usize) -> Result {
    let lock = stop_relay(stack).await?;
    let mut crm = start_crm(stack).await?;
    let script = request(stack)?;
    wrk(LEADS, &script, 1, clients).await?;
    let twin = twin(stack, 1, &["outbox", "history"]).await?;
    let (mut ours, mut bare, mut busy) = (Vec::new(), Vec::new(), Vec::new());
    for run in 0..=runs {
        empty(stack).await?;
        stack.sql("CHECKPOINT").await?;
        let http = wrk(LEADS, &script, seconds, clients).await?;
        let pgbench = pgbench(stack, &twin, seconds, clients).await?;
        say(&format!("write over HTTP {run}/{runs}: {http:.0}/s, pgbench {pgbench:.0}/s"));
        if run > 0 {
            ours.push(http);
            bare.push(pgbench);
        }
    }
    page.rates(&format!("write over HTTP, {clients} clients"), ours, "pgbench", bare.clone(), 0.9, 0.0);
    empty(stack).await?;
    drop(lock);
    for run in 1..=runs {
        let http = wrk(LEADS, &script, seconds, clients).await?;
        say(&format!("write over HTTP with relay and broker {run}/{runs}: {http:.0}/s"));
        busy.push(http);
    }
    let what = "the same, relay and broker at work on the same cores";
    page.rates(what, busy, "pgbench", bare, 0.0, 0.0);
    crm.end().await
}

/// The outbox's share, on tables like crm's.
pub async fn share(stack: &Stack, page: &mut Page, runs: usize, seconds: u64, clients: usize) -> Result {
    let lock = stop_relay(stack).await?;
    let mut crm = start_crm(stack).await?;
    let script = request(stack)?;
    wrk(LEADS, &script, 1, clients).await?;
    crm.end().await?;
    drop(lock);
    let (recorded, plain) = (twin(stack, GROUP, &["outbox"]).await?, twin(stack, GROUP, &[]).await?);
    share::measure(stack, page, &script, (runs, seconds, clients)).await?;
    let writes = per_second(GROUP, Duration::from_secs(1));
    let (mut ours, mut bare) = (Vec::new(), Vec::new());
    for run in 0..=runs {
        stack.sql("TRUNCATE twin.leads, twin.outbox").await?;
        stack.sql("CHECKPOINT").await?;
        let recorded = pgbench(stack, &recorded, seconds, 4).await? * writes;
        let plain = pgbench(stack, &plain, seconds, 4).await? * writes;
        say(&format!("pgbench with the outbox {run}/{runs}: {recorded:.0}/s, without {plain:.0}/s"));
        if run > 0 {
            ours.push(recorded);
            bare.push(plain);
        }
    }
    page.rates("the same inserts by pgbench, 8 a commit, with the outbox", ours, "without", bare, 0.0, 0.0);
    Ok(())
}

/// Writes of one commit, as many as 32 clients of four groups share.
const GROUP: usize = 8;

/// Whoever holds this lock is the relay: as long as it is us, nobody publishes.
pub async fn stop_relay(stack: &Stack) -> Result<Conn> {
    let mut lock = Conn::establish(stack.database_url.expose()).await?;
    diesel::sql_query("SELECT pg_advisory_lock(hashtextextended('crm.outbox.0', 0))")
        .execute(&mut lock)
        .await?;
    Ok(lock)
}

/// A lead, as it is asked for: by wrk somebody else each time, as leads mostly are. Whoever has been there before is found, and
/// each pair of them written down.
pub const LEAD: &str = r#"{"name":"0000000 Verma","email":"0000000@example.com","source":"website","company":"0000000 Textiles"}"#;

async fn start_crm(stack: &Stack) -> Result<Service> {
    Service::set_up(stack, CRM).await?;
    Service::start(stack, CRM, ADDRESS, &[]).await
}

/// What wrk sends.
fn request(stack: &Stack) -> Result<PathBuf> {
    script(stack, "lead", "POST", &token(stack, "bench", Role::Sales)?, Some(LEAD))
}

/// Requests per second, all of them accepted.
pub async fn wrk(url: &str, script: &Path, seconds: u64, clients: usize) -> Result<f64> {
    Ok(wrk::run(url, script, seconds, clients).await?.rate)
}

/// No rows, in crm nor in its twin.
async fn empty(stack: &Stack) -> Result {
    let tables = "crm.leads, crm.outbox, crm.history, twin.leads, twin.outbox, twin.history";
    stack.sql(&format!("TRUNCATE {tables} CASCADE")).await.map(drop)
}

/// Tables like crm's, and pgbench's script: the rows of that many requests in one commit, with new ids: leads, and what is
/// recorded of them in `beside`.
async fn twin(stack: &Stack, writes: usize, beside: &[&str]) -> Result<PathBuf> {
    stack.sql("DROP SCHEMA IF EXISTS twin CASCADE").await?;
    stack.sql("CREATE SCHEMA twin").await?;
    for table in ["leads", "outbox", "history"] {
        stack.sql(&format!("CREATE TABLE twin.{table} (LIKE crm.{table} INCLUDING ALL)")).await?;
    }
    let keys =
        "CREATE TRIGGER lead_keys BEFORE INSERT ON twin.leads FOR EACH ROW EXECUTE FUNCTION crm.lead_keys()";
    stack.sql(keys).await?;
    let mut script = "BEGIN;\n".to_owned();
    let lead = insert(stack, ("leads", "id"), "", 1, 1).await?;
    script.push_str(&lead.repeat(writes));
    if beside.contains(&"outbox") {
        script.push_str(&insert(stack, ("outbox", "id"), " - 'id'", 2, writes).await?);
    }
    if beside.contains(&"history") {
        script.push_str(&insert(stack, ("history", "entity"), "", 1, writes).await?);
    }
    script.push_str("COMMIT;\n");
    let file = stack.run.join(format!("twin-{writes}-{}.sql", beside.len()));
    std::fs::write(&file, script)?;
    Ok(file)
}

/// One statement that inserts the first `rows` rows of crm's table in their order, each of them `times`.
async fn insert(
    stack: &Stack,
    (table, order): (&str, &str),
    without: &str,
    rows: usize,
    times: usize,
) -> Result<String> {
    let columns = "SELECT string_agg(quote_ident(key), ', ' ORDER BY key) FROM jsonb_object_keys";
    // pgbench takes a word after a colon for a variable; other letters of the same length do as well.
    let values = "SELECT string_agg(CASE WHEN key IN ('id', 'event_id') THEN 'gen_random_uuid()'
                                         WHEN value = '[]' THEN quote_literal('{}')
                                         WHEN key = 'entity' THEN 'gen_random_uuid()::text'
                                         WHEN key IN ('created_at', 'updated_at', 'at') THEN 'now()'
                                         ELSE regexp_replace(quote_nullable(value), ':(\\w)', ';\\1', 'g') END, ', ' ORDER BY key) FROM jsonb_each_text";
    // PostgreSQL makes these itself.
    let made = "ARRAY['search', 'email_key', 'phone_key', 'name_key']";
    let row = |n| {
        format!(
            "(SELECT to_jsonb(t) - {made}{without} FROM crm.{table} t ORDER BY {order} LIMIT 1 OFFSET {n})"
        )
    };
    let names = stack.words(&format!("{columns}({}) AS key", row(0))).await?;
    let mut tuples = Vec::new();
    for n in 0..rows {
        tuples.push(format!("({})", stack.words(&format!("{values}({})", row(n))).await?));
    }
    Ok(format!("INSERT INTO twin.{table} ({names}) VALUES {};\n", vec![tuples.join(", "); times].join(", ")))
}

async fn pgbench(stack: &Stack, script: &Path, seconds: u64, clients: usize) -> Result<f64> {
    let output = Process::new("pgbench")
        .args(["-n", "-M", "prepared", "-j2", &format!("-c{clients}"), &format!("-T{seconds}"), "-f"])
        .arg(script)
        .arg(stack.database_url.expose())
        .output()
        .await?;
    let text = String::from_utf8_lossy(&output.stdout);
    let rate = word_after(&text, "tps =").ok().and_then(|rate| rate.parse().ok());
    rate.ok_or_else(|| format!("pgbench: {text}{}", String::from_utf8_lossy(&output.stderr)).into())
}
