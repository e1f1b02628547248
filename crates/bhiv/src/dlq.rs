//! Dead letters: what services gave up on, in the queue `<service>.dlq` of each.

mod act;

use std::collections::BTreeMap;

use bhiv_broker::Connector;
use bhiv_broker::Error;
use bhiv_broker::dead_letters::{DeadLetters, Letter};
use bhiv_clock::Clock;
use bhiv_events::Producer;
use clap::{Args, Subcommand};
use comfy_table::Table;
use comfy_table::presets::NOTHING;
use serde_json::{Value, json};

use crate::Outcome;
use crate::events::BrokerUrl;
use crate::operator::{Services, connect, shortened, span};

/// `bhiv dlq`
#[derive(Debug, Subcommand)]
pub enum Dlq {
    /// List dead letters, in the order of their queues. Nothing changes by that.
    List {
        #[command(flatten)]
        broker: BrokerUrl,
        #[command(flatten)]
        services: Services,
        #[command(flatten)]
        which: Which,
        /// One JSON document a line.
        #[arg(long)]
        json: bool,
    },
    /// Show headers and body of a dead letter.
    Show {
        #[command(flatten)]
        broker: BrokerUrl,
        #[command(flatten)]
        services: Services,
        /// The id of the message, as `bhiv dlq list` shows it.
        message_id: String,
    },
    /// Put dead letters back into the queues that they came from, in their order, and by sequence within a subject.
    /// What was handled before is not handled again.
    Redrive(act::Redrive),
    /// Remove dead letters for good.
    Drop(act::Drop),
}

/// Which letters; all when nothing is said.
#[derive(Args, Clone, Debug)]
pub struct Which {
    /// Only this class, for example `rejected`. May be given several times.
    #[arg(long = "class", value_name = "CLASS")]
    classes: Vec<String>,
    /// Only the message with this id. May be given several times.
    #[arg(long = "id", value_name = "ID")]
    ids: Vec<String>,
}

impl Which {
    fn is_everything(&self) -> bool {
        self.classes.is_empty() && self.ids.is_empty()
    }

    /// The letters that are meant, in the order in which they came.
    fn of(&self, letters: Vec<Letter>) -> Vec<Letter> {
        let is_meant = |letter: &Letter| {
            (self.classes.is_empty() || self.classes.contains(&letter.class))
                && (self.ids.is_empty() || self.ids.contains(&letter.message_id))
        };
        letters.into_iter().filter(is_meant).collect()
    }
}

impl Dlq {
    pub async fn run(self) -> Outcome {
        match self {
            Self::List { broker, services, which, json } => list(&broker, &services, &which, json).await,
            Self::Show { broker, services, message_id } => show(&broker, &services, message_id).await,
            Self::Redrive(redrive) => redrive.run().await,
            Self::Drop(drop) => drop.run().await,
        }
    }
}

async fn list(broker: &BrokerUrl, services: &Services, which: &Which, json: bool) -> Outcome {
    let letters = read(broker, services, which).await?;
    if json {
        for letter in &letters {
            out!("{}", document(letter));
        }
        return Ok(());
    }
    if letters.is_empty() {
        out!("there are no such dead letters");
        return Ok(());
    }
    out!("{}\n", table(&letters));
    let mut counts: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for letter in &letters {
        *counts.entry((&letter.service, &letter.class)).or_default() += 1;
    }
    for ((service, class), count) in counts {
        out!("{service} {class}: {count}");
    }
    Ok(())
}

async fn show(broker: &BrokerUrl, services: &Services, message_id: String) -> Outcome {
    let which = Which { classes: Vec::new(), ids: vec![message_id] };
    let letters = read(broker, services, &which).await?;
    if letters.is_empty() {
        return Err("there is no dead letter with that id: see `bhiv dlq list`".into());
    }
    for letter in &letters {
        out!("{} in {}.dlq, from {}", letter.message_id, letter.service, queue(letter));
        out!("{}: {}", letter.class, letter.error);
        for (name, value) in &letter.headers {
            out!("  {name}: {value}");
        }
        let body = serde_json::from_slice::<Value>(&letter.body);
        let text = body
            .map_or_else(|_| String::from_utf8_lossy(&letter.body).into_owned(), |body| format!("{body:#}"));
        out!("{text}\n");
    }
    Ok(())
}

/// The letters that are meant, each in its place again.
async fn read(
    broker: &BrokerUrl,
    services: &Services,
    which: &Which,
) -> Result<Vec<Letter>, Box<dyn std::error::Error>> {
    let connector = connect(&broker.operator_amqp_url).await?;
    let mut letters = Vec::new();
    for service in services.all() {
        if let Some(mut dead) = open(&connector, service, services).await? {
            letters.extend(which.of(dead.take()));
            dead.close().await?;
        }
    }
    connector.close().await;
    Ok(letters)
}

/// The letters of a service; nothing when it has no such queue and nobody named it.
async fn open(
    connector: &Connector,
    service: Producer,
    services: &Services,
) -> Result<Option<DeadLetters>, Error> {
    match DeadLetters::open(connector, service.prefix()).await {
        Ok(dead) => {
            if dead.beyond() > 0 {
                eprintln!("{} has {} more: only the first are read", service.prefix(), dead.beyond());
            }
            Ok(Some(dead))
        }
        Err(Error::Missing(_)) if !services.are_named() => Ok(None),
        Err(error) => Err(error),
    }
}

fn queue(letter: &Letter) -> &str {
    letter.queue.as_deref().unwrap_or("an unknown queue")
}

fn table(letters: &[Letter]) -> Table {
    let now = Clock::system().now();
    let mut table = Table::new();
    table.load_preset(NOTHING).set_header([
        "service",
        "message id",
        "event",
        "subject",
        "seq",
        "class",
        "error",
        "attempts",
        "redrives",
        "age",
    ]);
    for letter in letters {
        let (event, subject, sequence) = match &letter.event {
            Ok(event) => (event.name(), event.subject.clone(), event.sequence.to_string()),
            Err(_) => ("-".to_owned(), "-".to_owned(), "-".to_owned()),
        };
        let age = letter.time.map(|time| (now - time).as_seconds_f64());
        table.add_row([
            letter.service.clone(),
            letter.message_id.clone(),
            event,
            subject,
            sequence,
            letter.class.clone(),
            shortened(&letter.error),
            letter.attempts.map_or_else(|| "-".to_owned(), |attempts| attempts.to_string()),
            (letter.attempt - 1).to_string(),
            age.map_or_else(|| "-".to_owned(), span),
        ]);
    }
    table
}

fn document(letter: &Letter) -> Value {
    let event = letter.event.as_ref().ok();
    json!({
        "service": letter.service,
        "message_id": letter.message_id,
        "event": event.map(bhiv_events::Event::name),
        "subject": event.map(|event| &event.subject),
        "sequence": event.map(|event| event.sequence),
        "class": letter.class,
        "error": letter.error,
        "attempts": letter.attempts,
        "redrives": letter.attempt - 1,
        "queue": letter.queue,
        "time": letter.time,
    })
}
