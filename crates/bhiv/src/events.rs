use bhiv_broker::{Connector, Fate, Message, Publisher, Tail, wire};
use bhiv_clock::Clock;
use bhiv_events::{Entry, Event, Producer, catalog, find_named};
use bhiv_settings::Secret;
use chrono::Local;
use clap::{Args, Subcommand};
use comfy_table::Table;
use comfy_table::presets::NOTHING;
use serde_json::Value;

use crate::Outcome;

/// `bhiv events`
#[derive(Debug, Subcommand)]
pub enum Events {
    /// List every kind of event.
    List,
    /// Print events as they are published, until interrupted.
    Tail {
        #[command(flatten)]
        broker: BrokerUrl,
        /// Only these kinds, for example `lead_created`.
        #[arg(long)]
        only: Vec<String>,
        /// Audit rows too.
        #[arg(long)]
        audit: bool,
        /// One JSON document (CloudEvents) a line.
        #[arg(long)]
        json: bool,
    },
    /// Publish a canned event, as if its producer had: what a module that runs alone lives on.
    Send {
        #[command(flatten)]
        broker: BrokerUrl,
        /// Public name, for example `lead_created`.
        name: String,
        /// A field of the data, for example `lead_id=0190...`; JSON, or else text. May be given several times.
        #[arg(long, value_name = "FIELD=VALUE")]
        set: Vec<String>,
        /// The aggregate's version that it tells of.
        #[arg(long, default_value_t = 1)]
        sequence: i64,
        /// Only print it.
        #[arg(long)]
        dry_run: bool,
    },
}

/// Where RabbitMQ is.
#[derive(Args, Debug)]
pub struct BrokerUrl {
    /// RabbitMQ as an operator.
    #[arg(long, env = "OPERATOR_AMQP_URL", hide_env_values = true)]
    pub operator_amqp_url: Secret,
}

impl Events {
    pub async fn run(self) -> Outcome {
        match self {
            Self::List => {
                list();
                Ok(())
            }
            Self::Tail { broker, only, audit, json } => tail(&broker, &only, audit, json).await,
            Self::Send { broker, name, set, sequence, dry_run } => {
                let event = canned(&name, &set, sequence)?;
                if dry_run {
                    out!("{}", serde_json::to_string_pretty(&event)?);
                    return Ok(());
                }
                send(&broker, event).await
            }
        }
    }
}

fn list() {
    let mut table = Table::new();
    table.load_preset(NOTHING).set_header(["event_type", "exchange", "routing key"]);
    for entry in catalog() {
        table.add_row([entry.kind.name, entry.kind.producer.exchange(), entry.kind.routing_key]);
    }
    out!("{table}");
}

async fn tail(broker: &BrokerUrl, only: &[String], audit: bool, json: bool) -> Outcome {
    for name in only {
        entry(name)?;
    }
    let connector = Connector::new(&broker.operator_amqp_url, "bhiv events tail");
    let exchanges = Producer::ALL.map(Producer::exchange);
    let queue = format!("ops.tail.{}", Clock::system().id().simple());
    let mut tail = Tail::open(&connector, &queue, &exchanges, "#").await?;
    loop {
        let delivery = tail.next().await?;
        match delivery.event {
            Ok(event) if is_wanted(&event, only, audit) => show(&event, json)?,
            Ok(_) => {}
            Err(malformed) => eprintln!("{}: no event: {malformed}", delivery.routing_key),
        }
    }
}

fn is_wanted(event: &Event, only: &[String], audit: bool) -> bool {
    let name = event.name();
    if only.is_empty() { audit || name != "audit_recorded" } else { only.contains(&name) }
}

fn show(event: &Event, json: bool) -> Outcome {
    if json {
        out!("{}", serde_json::to_string(event)?);
    } else {
        let time = event.time.with_timezone(&Local).format("%T%.3f");
        out!("{time} {:<26} {:<45} {}", event.name(), event.subject, event.data);
    }
    Ok(())
}

fn entry(name: &str) -> Result<Entry, String> {
    let mut entries = find_named(name);
    entries.pop().ok_or_else(|| format!("there is no event '{name}': see `bhiv events list`"))
}

fn canned(name: &str, set: &[String], sequence: i64) -> Result<Event, Box<dyn std::error::Error>> {
    let entry = entry(name)?;
    let mut data = entry.sample_data();
    let fields = data.as_object_mut().ok_or("the sample is no object")?;
    for assignment in set {
        let (field, text) =
            assignment.split_once('=').ok_or_else(|| format!("'{assignment}' is not like field=value"))?;
        if !fields.contains_key(field) {
            let known: Vec<_> = fields.keys().map(String::as_str).collect();
            return Err(format!("{name} has no field '{field}', but {}", known.join(", ")).into());
        }
        let value = serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned()));
        fields.insert(field.to_owned(), value);
    }
    let clock = Clock::system();
    let event = (entry.with_data)(clock.id(), data)?;
    Ok(Event { time: clock.now(), sequence, ..event })
}

async fn send(broker: &BrokerUrl, event: Event) -> Outcome {
    let connector = Connector::new(&broker.operator_amqp_url, "bhiv events send");
    let mut publisher = Publisher::open(&connector).await?;
    let entry = bhiv_events::find(&event.type_).ok_or("an unknown type")?;
    let message = Message {
        exchange: entry.kind.producer.exchange().to_owned(),
        routing_key: entry.kind.routing_key.to_owned(),
        id: event.id,
        headers: wire::headers(&event),
        body: event.data.to_string().into_bytes(),
    };
    let fate = publisher.publish(&[message]).await.pop();
    connector.close().await;
    match fate {
        Some(Fate::Delivered) => {
            out!("{} {} is on its way", event.name(), event.id);
            Ok(())
        }
        Some(Fate::Refused(reason)) => Err(format!("RabbitMQ refused it: {reason}").into()),
        Some(Fate::Unknown) | None => Err("the connection was lost; it may or may not be on its way".into()),
    }
}
