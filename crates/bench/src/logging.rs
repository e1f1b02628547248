//! The memory of the system: how fast it takes in, and how soon it answers when it is full.

mod seed;

use std::time::{Duration, Instant};

use bhiv_auth::Role;
use bhiv_broker::topology::Admin;
use bhiv_broker::{Connector, Message, Publisher, wire};
use bhiv_clock::Clock;
use bhiv_db::Conn;
use bhiv_events::crm::LeadCreated;
use bhiv_events::logistics::OrderCreated;
use bhiv_events::rl::DecisionMade;
use bhiv_events::task::TaskCreated;
use bhiv_events::{AuditRecorded, Contract, Event, Kind};
use bhiv_settings::Secret;
use diesel_async::{AsyncConnection as _, RunQueryDsl as _};
use reqwest::Client;
use serde_json::Value;
use uuid::Uuid;

use crate::page::Page;
use crate::relay::per_second;
use crate::service::{LOGGING, Service, keys, token};
use crate::stack::Stack;
use crate::{Result, say};

const AT: &str = "127.0.0.1:29681";

/// Events and audit rows of one run.
const MESSAGES: usize = 50_000;

/// What each answer has to keep to, in milliseconds.
const LIMIT: f64 = 50.0;

/// Measures what is wanted: `ingest`, `search`.
pub async fn measure(
    stack: &Stack,
    page: &mut Page,
    runs: usize,
    rows: u64,
    asked: usize,
    wants: impl Fn(&str) -> bool,
) -> Result {
    Admin::new(&stack.rabbitmq_url, &stack.amqp_url)?.declare_vhost().await?;
    if wants("search") {
        search(stack, page, rows, asked).await?;
    }
    // It makes the tables anew.
    if wants("ingest") {
        ingest(stack, page, runs).await?;
    }
    Ok(())
}

/// With keys, so that rows are sealed, numbered and signed meanwhile.
fn settings(stack: &Stack) -> Result<Vec<(&'static str, String)>> {
    let master = stack.run.join("logging-master.key");
    std::fs::write(&master, "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n")?;
    let (key, _) = keys(stack)?;
    Ok(vec![
        ("LOGGING_MASTER_KEY_FILE", master.display().to_string()),
        ("LOGGING_SIGNING_KEY_FILE", key.display().to_string()),
    ])
}

async fn ingest(stack: &Stack, page: &mut Page, runs: usize) -> Result {
    let (mut ours, mut copied, mut same) = (Vec::new(), Vec::new(), Vec::new());
    for run in 0..=runs {
        Service::set_up(stack, LOGGING).await?;
        publish(stack).await?;
        let mut service = Service::start(stack, LOGGING, AT, &settings(stack)?).await?;
        let rate = taken_in(stack).await?;
        service.end().await?;
        let (copy, into_same) = copy(stack).await?;
        say(&format!(
            "ingested {run}/{runs}: {rate:.0}/s, COPY {copy:.0}/s, COPY into the same {into_same:.0}/s"
        ));
        if run > 0 {
            ours.push(rate);
            copied.push(copy);
            same.push(into_same);
        }
    }
    let what = "rows ingested from RabbitMQ, sealed and indexed";
    page.rates(what, ours.clone(), "COPY into a table without indexes", copied, 0.0, 10_000.0);
    page.rates("the same", ours, "COPY into the same tables", same, 0.0, 0.0);
    Ok(())
}

async fn publish(stack: &Stack) -> Result {
    let clock = Clock::system();
    let connector = Connector::new(&stack.amqp_url, "bench");
    let mut publisher = Publisher::open(&connector).await?;
    for part in 0..MESSAGES / 1_000 {
        let messages: Vec<_> = (0..500).flat_map(|number| pair(&clock, part * 500 + number)).collect();
        publisher.publish(&messages).await;
    }
    connector.close().await;
    Ok(())
}

/// What a module tells of a change, and the audit row of it; the modules take turns.
fn pair(clock: &Clock, number: usize) -> [Message; 2] {
    // Ten messages about each.
    let id = Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0000 + number as u128 / 20);
    match number % 4 {
        0 => {
            let name = format!("Asha Verma {number}");
            changed(clock, &LeadCreated { lead_id: id, name, ..LeadCreated::sample() })
        }
        1 => changed(clock, &OrderCreated { order_id: id, ..OrderCreated::sample() }),
        2 => changed(clock, &TaskCreated { task_id: id, ..TaskCreated::sample() }),
        _ => changed(clock, &DecisionMade { decision_id: id, ..DecisionMade::sample() }),
    }
}

fn changed<C: Contract>(clock: &Clock, data: &C) -> [Message; 2] {
    let after = serde_json::to_value(data).ok();
    let audit = AuditRecorded { entity: data.subject(), after, ..AuditRecorded::sample() };
    let kind = AuditRecorded::kind(C::KIND.producer);
    let audit = Event {
        source: kind.producer.source().to_owned(),
        type_: kind.type_.to_owned(),
        ..Event::around(clock.id(), &audit)
    };
    [message(clock, C::KIND, Event::around(clock.id(), data)), message(clock, kind, audit)]
}

fn message(clock: &Clock, kind: Kind, event: Event) -> Message {
    let event = Event { time: clock.now(), ..event };
    Message {
        exchange: kind.producer.exchange().to_owned(),
        routing_key: kind.routing_key.to_owned(),
        id: event.id,
        headers: wire::headers(&event),
        body: event.data.to_string().into_bytes(),
    }
}

/// Rows per second, from the first ones that are there to the last one. Counting them costs what is measured some of its
/// processor, so it is done seldom: halfway to where they will all be there, as far as one can see, and often at the end.
async fn taken_in(stack: &Stack) -> Result<f64> {
    let mut conn = connect(stack).await?;
    let until = Instant::now() + Duration::from_mins(5);
    let mut first = None;
    loop {
        let rows = usize::try_from(entries(&mut conn).await?)?;
        let now = Instant::now();
        let left = match first {
            _ if now > until => return Err(format!("{rows} rows are there after five minutes").into()),
            None if rows > 0 => {
                first = Some((rows, now));
                Duration::ZERO
            }
            None => Duration::ZERO,
            Some((before, begun)) if rows == MESSAGES => return Ok(per_second(rows - before, now - begun)),
            Some((before, begun)) => {
                let count = |rows: usize| u32::try_from(rows).unwrap_or(u32::MAX);
                (now - begun) * count(MESSAGES.saturating_sub(rows)) / count(rows - before).max(1)
            }
        };
        tokio::time::sleep((left / 2).clamp(Duration::from_millis(20), Duration::from_secs(2))).await;
    }
}

async fn entries(conn: &mut Conn) -> Result<i64> {
    #[derive(diesel::QueryableByName)]
    struct Count {
        #[diesel(sql_type = diesel::sql_types::BigInt)]
        count: i64,
    }
    let count: Count = diesel::sql_query("SELECT count(*) AS count FROM entries").get_result(conn).await?;
    Ok(count.count)
}

/// The same rows by COPY: into a table that has nothing but the columns, and into the tables as they are.
async fn copy(stack: &Stack) -> Result<(f64, f64)> {
    let file = "/tmp/bhiv-bench-entries.copy";
    let columns = "id, kind, event_type, type, source, subject, entity, actor, correlation_id, causation_id, sequence, \
                   trace_id, task_id, user_id, rl_score, consent_flag, action, timestamp, received_at, data, search";
    stack.sql(&format!("COPY (SELECT {columns} FROM logging.entries) TO '{file}'")).await?;
    stack.sql("CREATE TABLE logging.plain (LIKE logging.entries)").await?;
    let begun = Instant::now();
    stack.sql(&format!("COPY logging.plain ({columns}) FROM '{file}'")).await?;
    let plain = per_second(MESSAGES, begun.elapsed());
    stack.sql("TRUNCATE logging.entries, logging.audit_waiting").await?;
    let path = ["SET search_path = logging".to_owned()];
    let begun = Instant::now();
    stack.sql_all(&path, &[format!("COPY entries ({columns}) FROM '{file}'")]).await?;
    // It is PostgreSQL's, which is somebody else unless we are root; then it stays until it is written again.
    let _ = std::fs::remove_file(file);
    Ok((plain, per_second(MESSAGES, begun.elapsed())))
}

async fn search(stack: &Stack, page: &mut Page, rows: u64, asked: usize) -> Result {
    if rows == 0 {
        Service::set_up_again(stack, LOGGING).await?;
    } else {
        Service::set_up(stack, LOGGING).await?;
        seed::fill(stack, rows).await?;
    }
    let rows = stack.words("SELECT count(*) FROM logging.entries").await?;
    let mut service = Service::start(stack, LOGGING, AT, &settings(stack)?).await?;
    let token = token(stack, "bench", Role::Admin)?;
    let mut worst: f64 = 0.0;
    for question in seed::questions(stack).await? {
        let took = p95(asked, async || question.ask(&token).await).await?;
        let mut conn = connect(stack).await?;
        let mut plain = Vec::new();
        for _ in 0..=asked {
            let begun = Instant::now();
            diesel::sql_query(&question.plain).execute(&mut conn).await?;
            plain.push(begun.elapsed().as_secs_f64() * 1000.0);
        }
        let beside = format!("plain indexed query: {:.1} ms", percentile(plain.get(1..).unwrap_or_default()));
        page.single(
            &format!("{}, p95", question.says),
            format!("{took:.1} ms"),
            &beside,
            "50 ms",
            took <= LIMIT,
        );
        worst = worst.max(took);
    }
    service.end().await?;
    let what = format!("the slowest, with {rows} rows");
    page.single(&what, format!("{worst:.1} ms"), "", "50 ms", worst <= LIMIT);
    Ok(())
}

/// What is asked of the service, and the query that the database would be asked instead.
#[derive(Debug)]
struct Question {
    says: String,
    path: String,
    plain: String,
}

impl Question {
    async fn ask(&self, token: &str) -> Result {
        let answer = client().get(format!("http://{AT}{}", self.path)).bearer_auth(token).send().await?;
        let status = answer.status();
        let body: Value = answer.json().await?;
        if status.is_success() { Ok(()) } else { Err(format!("{}: {status} {body}", self.path).into()) }
    }
}

fn client() -> Client {
    static CLIENT: std::sync::OnceLock<Client> = std::sync::OnceLock::new();
    CLIENT.get_or_init(Client::new).clone()
}

async fn connect(stack: &Stack) -> Result<Conn> {
    let url = Secret::from(format!("{}?options=-csearch_path%3Dlogging", stack.database_url.expose()));
    Ok(Conn::establish(url.expose()).await?)
}

/// 95 of 100 take no longer, in milliseconds; the first one does not count.
async fn p95(asked: usize, ask: impl AsyncFn() -> Result) -> Result<f64> {
    ask().await?;
    let mut took = Vec::with_capacity(asked);
    for _ in 0..asked {
        let begun = Instant::now();
        ask().await?;
        took.push(begun.elapsed().as_secs_f64() * 1000.0);
    }
    Ok(percentile(&took))
}

fn percentile(took: &[f64]) -> f64 {
    let mut took = took.to_vec();
    took.sort_by(f64::total_cmp);
    took.get((took.len() * 95 / 100).min(took.len().saturating_sub(1))).copied().unwrap_or(f64::NAN)
}

/// How it is measured.
pub const METHOD: &str = "\
# The memory of the system: figures

`scripts/bench logging` writes this page. The machine is shared and noisy: trust the ratios, not the digits.

- **rows ingested**: 50,000 events and audit rows of four modules wait in RabbitMQ; from the first rows that are in the tables to the last
  one. What is personal is sealed, words are indexed, audit rows are numbered and signed meanwhile. Beside it `COPY` of the
  same rows from a file: into a table that has nothing but the columns, and into the tables as they are, with their
  indexes.
- **pages, searches, stories**: the tables are filled with rows of a year, in months; then each is asked over HTTP again
  and again. 95 of 100 answers take no longer. Beside each a plain query of the same rows, by the client library alone:
  the same conditions, the newest first, 50 rows.

";
