//! Messages that could not be handled or published yet, in the tables of each service.

use bhiv_clock::Clock;
use bhiv_events::Producer;
use bhiv_outbox::operations::{ParkedIn, ParkedOut, Retried, Retry, parked_in, parked_out};
use chrono::{DateTime, Utc};
use clap::Subcommand;
use comfy_table::Table;
use comfy_table::presets::NOTHING;
use serde::Serialize;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::Outcome;
use crate::operator::{Acting, DatabaseUrl, Services, Tables, not_set_up, shortened, span};

/// Rows that are read of each table, at most.
const MOST: i64 = 10_000;

/// `bhiv parked`
#[derive(Debug, Subcommand)]
pub enum Parked {
    /// List messages that could not be handled yet, and events that RabbitMQ refused.
    List {
        #[command(flatten)]
        database: DatabaseUrl,
        #[command(flatten)]
        services: Services,
        /// One JSON document a line.
        #[arg(long)]
        json: bool,
    },
    /// Have parked messages tried again at once. Those that are being tried already are left alone.
    Retry {
        #[command(flatten)]
        database: DatabaseUrl,
        #[command(flatten)]
        services: Services,
        /// Only the message with this id. May be given several times.
        #[arg(long = "id", value_name = "ID")]
        ids: Vec<Uuid>,
        #[command(flatten)]
        acting: Acting,
    },
}

impl Parked {
    pub async fn run(self) -> Outcome {
        match self {
            Self::List { database, services, json } => list(&database, &services, json).await,
            Self::Retry { database, services, ids, acting } => {
                retry(&database, &services, &ids, &acting).await
            }
        }
    }
}

async fn list(database: &DatabaseUrl, services: &Services, json: bool) -> Outcome {
    let mut count = 0;
    for (service, tables) in find(database, services).await? {
        let parked = read(&tables, &[]).await?;
        count += parked.incoming.len() + parked.outgoing.len();
        if json {
            parked.incoming.iter().for_each(|row| out!("{}", document(service, "in", row)));
            parked.outgoing.iter().for_each(|row| out!("{}", document(service, "out", row)));
        } else {
            show(service, &parked);
        }
    }
    if count == 0 && !json {
        out!("nothing is parked");
    }
    Ok(())
}

async fn retry(database: &DatabaseUrl, services: &Services, ids: &[Uuid], acting: &Acting) -> Outcome {
    let mut count = 0;
    for (service, tables) in find(database, services).await? {
        let parked = if acting.apply {
            // The audit rows are in the same transaction.
            let ids = (!ids.is_empty()).then(|| ids.to_vec());
            tables.run(acting, Retry { ids }).await?
        } else {
            read(&tables, ids).await?
        };
        count += parked.incoming.len() + parked.outgoing.len();
        show(service, &parked);
    }
    match (acting.apply, count) {
        (_, 0) => out!("nothing such is parked, or it is being tried right now"),
        (true, _) => out!("{count} messages are tried again now"),
        (false, _) => {
            out!("{count} messages would be tried at once; nothing is done yet: repeat it with --apply");
        }
    }
    Ok(())
}

async fn find(
    database: &DatabaseUrl,
    services: &Services,
) -> Result<Vec<(Producer, Tables)>, Box<dyn std::error::Error>> {
    let mut found = Vec::new();
    for service in services.all() {
        match Tables::find(database, service).await? {
            Some(tables) => found.push((service, tables)),
            None if services.are_named() => return Err(not_set_up(service).into()),
            None => {}
        }
    }
    Ok(found)
}

/// What is parked, with these ids if there are any.
async fn read(tables: &Tables, ids: &[Uuid]) -> Result<Retried, Box<dyn std::error::Error>> {
    let mut conn = tables.connection().await?;
    let mut incoming = parked_in(&mut conn, MOST).await?;
    let mut outgoing = parked_out(&mut conn, MOST).await?;
    if !ids.is_empty() {
        incoming.retain(|row| ids.contains(&row.message_id));
        outgoing.retain(|row| ids.contains(&row.event_id));
    }
    Ok(Retried { incoming, outgoing })
}

fn show(service: Producer, parked: &Retried) {
    let now = Clock::system().now();
    let until = |time: DateTime<Utc>| span((time - now).as_seconds_f64());
    let since = |time: DateTime<Utc>| span((now - time).as_seconds_f64());
    if !parked.incoming.is_empty() {
        let mut table = Table::new();
        table.load_preset(NOTHING).set_header([
            "consumer",
            "message id",
            "subject",
            "seq",
            "attempts",
            "next in",
            "class",
            "error",
            "failing for",
        ]);
        for row in &parked.incoming {
            let ParkedIn { consumer, message_id, subject, sequence, attempts, error_class, .. } = row;
            table.add_row([
                consumer.clone(),
                message_id.to_string(),
                subject.clone(),
                sequence.to_string(),
                attempts.to_string(),
                until(row.next_attempt_at),
                error_class.clone(),
                shortened(&row.error),
                since(row.first_failed_at),
            ]);
        }
        out!("{}: messages that could not be handled yet\n{table}\n", service.prefix());
    }
    if !parked.outgoing.is_empty() {
        let mut table = Table::new();
        table.load_preset(NOTHING).set_header([
            "place",
            "message id",
            "routing key",
            "attempts",
            "next in",
            "error",
        ]);
        for row in &parked.outgoing {
            let ParkedOut { id, event_id, routing_key, attempts, .. } = row;
            table.add_row([
                id.to_string(),
                event_id.to_string(),
                routing_key.clone(),
                attempts.to_string(),
                until(row.next_attempt_at),
                shortened(&row.last_error),
            ]);
        }
        out!("{}: events that RabbitMQ refused\n{table}\n", service.prefix());
    }
}

fn document(service: Producer, direction: &str, row: &impl Serialize) -> Value {
    json!({"service": service.prefix(), "direction": direction, "message": row})
}
