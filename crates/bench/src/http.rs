//! Requests to rows.

use std::process::Stdio;
use std::time::{Duration, Instant};

use bhiv_auth::{Keys, Role, Signer};
use bhiv_clock::Clock;
use bhiv_db::Conn;
use bhiv_settings::Secret;
use chrono::TimeDelta;
use diesel_async::{AsyncConnection as _, RunQueryDsl as _};
use tokio::process::{Child, Command as Process};

use crate::page::Page;
use crate::relay::per_second;
use crate::stack::Stack;
use crate::{Result, say, share};

const ADDRESS: &str = "127.0.0.1:29650";
const LEADS: &str = "http://127.0.0.1:29650/crm/leads";

pub async fn measure(stack: &Stack, page: &mut Page, runs: usize, seconds: u64, clients: usize) -> Result {
    let lock = stop_relay(stack).await?;
    let crm = Crm::start(stack).await?;
    let script = Crm::request(stack)?;
    wrk(LEADS, &script, 1, clients).await?;
    let twin = twin(stack, 1, true).await?;
    let (mut ours, mut bare, mut busy) = (Vec::new(), Vec::new(), Vec::new());
    for run in 0..=runs {
        stack.sql("TRUNCATE crm.leads, crm.outbox, twin.leads, twin.outbox CASCADE").await?;
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
    stack.sql("TRUNCATE crm.leads, crm.outbox, twin.leads, twin.outbox CASCADE").await?;
    drop(lock);
    for run in 1..=runs {
        let http = wrk(LEADS, &script, seconds, clients).await?;
        say(&format!("write over HTTP with relay and broker {run}/{runs}: {http:.0}/s"));
        busy.push(http);
    }
    let what = "the same, relay and broker at work on the same cores";
    page.rates(what, busy, "pgbench", bare, 0.0, 0.0);
    crm.stop().await
}

/// The outbox's share, on tables like crm's.
pub async fn share(stack: &Stack, page: &mut Page, runs: usize, seconds: u64, clients: usize) -> Result {
    let lock = stop_relay(stack).await?;
    let crm = Crm::start(stack).await?;
    let script = Crm::request(stack)?;
    wrk(LEADS, &script, 1, clients).await?;
    crm.stop().await?;
    drop(lock);
    let (recorded, plain) = (twin(stack, GROUP, true).await?, twin(stack, GROUP, false).await?);
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
async fn stop_relay(stack: &Stack) -> Result<Conn> {
    let mut lock = Conn::establish(stack.database_url.expose()).await?;
    diesel::sql_query("SELECT pg_advisory_lock(hashtextextended('crm.outbox.0', 0))")
        .execute(&mut lock)
        .await?;
    Ok(lock)
}

/// A crm of its own, as a process.
struct Crm {
    process: Child,
}

impl Crm {
    async fn start(stack: &Stack) -> Result<Self> {
        stack.sql("DROP SCHEMA IF EXISTS crm CASCADE").await?;
        std::fs::create_dir_all(&stack.run)?;
        let (key, jwks) = (stack.run.join("key.pem"), stack.run.join("jwks.json"));
        if !key.exists() {
            Keys::generate(&key, &jwks)?;
        }
        let password = "bench";
        let settings = [
            ("HTTP_ADDR", ADDRESS.to_owned()),
            ("DATABASE_URL", named(&stack.database_url, "crm", password)?),
            ("AMQP_URL", named(&stack.amqp_url, "crm", password)?),
            ("AUTH_JWKS_FILE", jwks.display().to_string()),
            ("DATABASE_ADMIN_URL", stack.database_url.expose().to_owned()),
            ("RABBITMQ_ADMIN_URL", stack.rabbitmq_url.expose().to_owned()),
            ("TRACE_RATIO", "0".to_owned()),
        ];
        let program = stack.programs.join("crm");
        let setup = Process::new(&program).arg("setup").envs(settings.clone()).output().await?;
        if !setup.status.success() {
            return Err(format!("crm setup: {}", String::from_utf8_lossy(&setup.stderr)).into());
        }
        let log = std::fs::File::create(stack.run.join("crm.log"))?;
        let process = Process::new(&program)
            .arg("run")
            .envs(settings)
            .stdout(log.try_clone()?)
            .stderr(log)
            .kill_on_drop(true)
            .spawn()?;
        let crm = Self { process };
        let until = Instant::now() + Duration::from_secs(30);
        let ready = format!("http://{ADDRESS}/health/ready");
        while !reqwest::get(&ready).await.is_ok_and(|answer| answer.status().is_success()) {
            if Instant::now() > until {
                return Err("crm is not ready".into());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(crm)
    }

    /// What wrk sends.
    fn request(stack: &Stack) -> Result<std::path::PathBuf> {
        let signer = Signer::new(&stack.run.join("key.pem"), "bhiv-gateway", "bhiv")?;
        let token = signer.sign("bench", &[Role::Sales], Clock::system().now(), TimeDelta::hours(2))?;
        let script = stack.run.join("lead.lua");
        let body = r#"{"name":"Asha Verma","email":"asha@example.com","source":"website","company":"Verma Textiles"}"#;
        std::fs::write(
            &script,
            format!(
                "wrk.method = 'POST'\nwrk.body = '{body}'\nwrk.headers['content-type'] = 'application/json'\n\
                 wrk.headers['authorization'] = 'Bearer {token}'\n"
            ),
        )?;
        Ok(script)
    }

    async fn stop(mut self) -> Result {
        self.process.kill().await?;
        Ok(())
    }
}

/// Requests per second, all of them accepted.
pub async fn wrk(url: &str, script: &std::path::Path, seconds: u64, clients: usize) -> Result<f64> {
    let output = Process::new("wrk")
        .args(["-t1", &format!("-c{clients}"), &format!("-d{seconds}s"), "-s"])
        .arg(script)
        .arg(url)
        .stderr(Stdio::inherit())
        .output()
        .await?;
    let text = String::from_utf8_lossy(&output.stdout);
    if text.contains("Non-2xx") || text.contains("Socket errors") {
        return Err(format!("not every request was accepted:\n{text}").into());
    }
    number_after(&text, "Requests/sec:")
}

fn named(url: &Secret, user: &str, password: &str) -> Result<String> {
    let (scheme, rest) = url.expose().split_once("://").ok_or("no URL")?;
    let (_, place) = rest.split_once('@').ok_or("no user in the URL")?;
    Ok(format!("{scheme}://{user}:{password}@{place}"))
}

/// Tables like crm's, and pgbench's script: the rows of that many requests in one commit, with new ids.
async fn twin(stack: &Stack, writes: usize, is_recorded: bool) -> Result<std::path::PathBuf> {
    stack.sql("DROP SCHEMA IF EXISTS twin CASCADE").await?;
    stack.sql("CREATE SCHEMA twin").await?;
    for table in ["leads", "outbox"] {
        stack.sql(&format!("CREATE TABLE twin.{table} (LIKE crm.{table} INCLUDING ALL)")).await?;
    }
    let mut script = "BEGIN;\n".to_owned();
    let lead = insert(stack, "leads", "", 1, 1).await?;
    script.push_str(&lead.repeat(writes));
    if is_recorded {
        script.push_str(&insert(stack, "outbox", " - 'id'", 2, writes).await?);
    }
    script.push_str("COMMIT;\n");
    let file = stack.run.join(format!("twin-{writes}-{is_recorded}.sql"));
    std::fs::write(&file, script)?;
    Ok(file)
}

/// One statement that inserts the first `rows` rows of crm's table, each of them `times`.
async fn insert(stack: &Stack, table: &str, without: &str, rows: usize, times: usize) -> Result<String> {
    let columns = "SELECT string_agg(quote_ident(key), ', ' ORDER BY key) FROM jsonb_object_keys";
    // pgbench takes a word after a colon for a variable; other letters of the same length do as well.
    let values = "SELECT string_agg(CASE WHEN key IN ('id', 'event_id') THEN 'gen_random_uuid()'
                                         WHEN value = '[]' THEN quote_literal('{}')
                                         WHEN key IN ('created_at', 'updated_at') THEN 'now()'
                                         ELSE regexp_replace(quote_nullable(value), ':(\\w)', ';\\1', 'g') END, ', ' ORDER BY key) FROM jsonb_each_text";
    let row = |n| format!("(SELECT to_jsonb(t){without} FROM crm.{table} t ORDER BY id LIMIT 1 OFFSET {n})");
    let names = stack.words(&format!("{columns}({}) AS key", row(0))).await?;
    let mut tuples = Vec::new();
    for n in 0..rows {
        tuples.push(format!("({})", stack.words(&format!("{values}({})", row(n))).await?));
    }
    Ok(format!("INSERT INTO twin.{table} ({names}) VALUES {};\n", vec![tuples.join(", "); times].join(", ")))
}

async fn pgbench(stack: &Stack, script: &std::path::Path, seconds: u64, clients: usize) -> Result<f64> {
    let output = Process::new("pgbench")
        .args(["-n", "-M", "prepared", "-j2", &format!("-c{clients}"), &format!("-T{seconds}"), "-f"])
        .arg(script)
        .arg(stack.database_url.expose())
        .output()
        .await?;
    let text = String::from_utf8_lossy(&output.stdout);
    number_after(&text, "tps =")
        .map_err(|_| format!("pgbench: {text}{}", String::from_utf8_lossy(&output.stderr)).into())
}

fn number_after(text: &str, word: &str) -> Result<f64> {
    let (_, rest) = text.split_once(word).ok_or_else(|| format!("no '{word}' in:\n{text}"))?;
    Ok(rest.split_whitespace().next().unwrap_or_default().parse()?)
}
