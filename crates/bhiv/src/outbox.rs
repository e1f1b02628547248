//! How outboxes, inboxes and queues are doing, and what to do about it.

mod findings;

use bhiv_broker::topology::{Admin, QueueState};
use bhiv_events::Producer;
use bhiv_outbox::operations::{self, MOST_WAITING, Status};
use bhiv_settings::Secret;
use chrono::Local;
use clap::Subcommand;
use comfy_table::Table;
use comfy_table::presets::NOTHING;
use serde_json::json;

use crate::Outcome;
use crate::events::BrokerUrl;
use crate::operator::{DatabaseUrl, Services, Tables, not_set_up, span};

/// `bhiv outbox`
#[derive(Debug, Subcommand)]
pub enum Outbox {
    /// Say what waits, what is parked, who publishes, and how queues are doing; at the end, what is wrong.
    Status {
        #[command(flatten)]
        broker: BrokerUrl,
        /// RabbitMQ's management API as an administrator. It counts every 5 s.
        #[arg(long, env = "RABBITMQ_ADMIN_URL", hide_env_values = true)]
        rabbitmq_admin_url: Secret,
        #[command(flatten)]
        database: DatabaseUrl,
        #[command(flatten)]
        services: Services,
        /// One JSON document a line.
        #[arg(long)]
        json: bool,
    },
}

/// One service.
#[derive(Debug)]
struct Report {
    service: Producer,
    status: Status,
    /// Its queues and its dead letters.
    queues: Vec<QueueState>,
}

impl Outbox {
    pub async fn run(self) -> Outcome {
        let Self::Status { broker, rabbitmq_admin_url, database, services, json } = self;
        let admin = Admin::new(&rabbitmq_admin_url, &broker.operator_amqp_url)?;
        let queues = admin.queues().await?;
        let mut reports = Vec::new();
        for service in services.all() {
            match Tables::find(&database, service).await? {
                Some(tables) => reports.push(report(service, &tables, &queues).await?),
                None if services.are_named() => return Err(not_set_up(service).into()),
                None => {}
            }
        }
        if reports.is_empty() {
            return Err("no service is set up in this database: is DATABASE_ADMIN_URL right?".into());
        }
        if json {
            reports.iter().for_each(tell);
        } else {
            show(&reports);
        }
        Ok(())
    }
}

async fn report(
    service: Producer,
    tables: &Tables,
    queues: &[QueueState],
) -> Result<Report, Box<dyn std::error::Error>> {
    let status = operations::status(&mut *tables.connection().await?).await?;
    let (own, letters) = (format!("{}.q.", service.prefix()), format!("{}.dlq", service.prefix()));
    let is_own = |queue: &&QueueState| queue.name.starts_with(&own) || queue.name == letters;
    Ok(Report {
        service,
        status: status.ok_or_else(|| not_set_up(service))?,
        queues: queues.iter().filter(is_own).cloned().collect(),
    })
}

fn show(reports: &[Report]) {
    let mut tables = Table::new();
    tables.load_preset(NOTHING).set_header([
        "service",
        "waiting",
        "oldest",
        "parked out",
        "parked in",
        "oldest",
        "leader",
        "dead tuples",
        "inbox rows",
    ]);
    let none = || "-".to_owned();
    for Report { service, status, .. } in reports {
        let waiting = match status.waiting {
            counted if counted > MOST_WAITING => format!(">{MOST_WAITING}"),
            counted => counted.to_string(),
        };
        let leader = status.leader.as_ref().map(|leader| {
            let since = leader.since.with_timezone(&Local).format("%F %T");
            format!("{} (pid {}, since {since})", leader.name, leader.pid)
        });
        tables.add_row([
            service.prefix().to_owned(),
            waiting,
            status.oldest_seconds.map_or_else(none, span),
            status.parked_out.to_string(),
            status.parked_in.to_string(),
            status.parked_in_oldest_seconds.map_or_else(none, span),
            leader.unwrap_or_else(|| "nobody".to_owned()),
            status.dead_tuples.to_string(),
            status.inbox_rows.map_or_else(none, |rows| format!("~{rows}")),
        ]);
    }
    out!("{tables}\n");

    let mut queues = Table::new();
    queues.load_preset(NOTHING).set_header(["queue", "waiting", "being handled", "consumers"]);
    for queue in reports.iter().flat_map(|report| &report.queues) {
        queues.add_row([
            queue.name.clone(),
            queue.messages_ready.to_string(),
            queue.messages_unacknowledged.to_string(),
            queue.consumers.to_string(),
        ]);
    }
    out!("{queues}\n");

    let findings: Vec<String> = reports.iter().flat_map(findings::of).collect();
    if findings.is_empty() {
        out!("nothing is wrong");
    } else {
        out!("wrong: {}", findings.join("\n       "));
    }
}

fn tell(report: &Report) {
    let Report { service, status, queues } = report;
    let queues: Vec<_> = queues
        .iter()
        .map(|queue| {
            json!({
                "name": queue.name,
                "ready": queue.messages_ready,
                "unacknowledged": queue.messages_unacknowledged,
                "consumers": queue.consumers,
            })
        })
        .collect();
    let wrong = findings::of(report);
    out!("{}", json!({"service": service.prefix(), "status": status, "queues": queues, "wrong": wrong}));
}
