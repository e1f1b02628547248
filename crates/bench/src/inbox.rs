//! Broker to effects.

use std::time::Instant;

use bhiv_broker::{Connector, Message, Publisher, wire};
use bhiv_clock::Clock;
use bhiv_db::{Conn, statement};
use bhiv_events::crm::LeadCreated;
use bhiv_events::{Contract as _, Event, Producer};
use bhiv_outbox::{Bindings, Consumers, Failure, Handle, HandleAll, Order, Processor, Tx};
use diesel::sql_types::{Array, Uuid as SqlUuid};
use diesel_async::{AsyncConnection as _, RunQueryDsl as _};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::page::Page;
use crate::relay::per_second;
use crate::stack::{Schema, Stack};
use crate::{Result, say};

const MESSAGES: usize = 20_000;
const BATCH: usize = 200;

statement! {
    struct InsertOne<'a> { id: Uuid } -> ();
    "INSERT INTO effects (message_id) VALUES (" [id: SqlUuid] ")"
}

statement! {
    struct InsertAll<'a> { ids: Vec<Uuid> } -> ();
    "INSERT INTO effects (message_id) SELECT * FROM unnest(" [ids: Array<SqlUuid>] ")"
}

statement! {
    struct Seen<'a> { ids: Vec<Uuid> } -> ();
    "INSERT INTO inbox (message_id, consumer) SELECT id, 'bench' FROM unnest(" [ids: Array<SqlUuid>] ") AS id"
}

/// One statement a message.
struct Each;

impl Handle<LeadCreated> for Each {
    async fn handle(&self, tx: &mut Tx, event: &Event, _: LeadCreated) -> std::result::Result<(), Failure> {
        InsertOne::new(event.id).execute(tx.conn()).await?;
        Ok(())
    }
}

/// One statement a batch.
struct Bulk;

impl HandleAll for Bulk {
    async fn handle_all(&self, tx: &mut Tx, events: &[&Event]) -> std::result::Result<(), Failure> {
        InsertAll::new(events.iter().map(|event| event.id).collect()).execute(tx.conn()).await?;
        Ok(())
    }
}

pub async fn measure(stack: &Stack, page: &mut Page, runs: usize) -> Result {
    let connector = stack.queue().await?;
    // With one statement for a whole batch next to nothing is left to compare with: what remains is receiving,
    // reading and guarding, which the client library alone does not do.
    for (name, is_bulk, reach) in
        [("inbox, a statement a message", false, 0.7), ("inbox, a statement a batch", true, 0.0)]
    {
        let (mut ours, mut bare) = (Vec::new(), Vec::new());
        for run in 0..=runs {
            let schema = stack.schema("inbox").await?;
            publish(&connector).await?;
            let inbox = inbox_once(stack, &schema, is_bulk).await?;
            let alone = bare_once(stack, is_bulk).await?;
            say(&format!("{name} {run}/{runs}: {inbox:.0}/s, diesel-async alone {alone:.0}/s"));
            if run > 0 {
                ours.push(inbox);
                bare.push(alone);
            }
        }
        page.rates(name, ours, "diesel-async alone", bare, reach, 10_000.0);
    }
    connector.close().await;
    Ok(())
}

async fn publish(connector: &Connector) -> Result {
    let clock = Clock::system();
    let mut publisher = Publisher::open(connector).await?;
    let messages: Vec<_> = (0..MESSAGES)
        .map(|_| {
            let event = Event::around(clock.id(), &LeadCreated::sample());
            Message {
                exchange: Producer::Crm.exchange().to_owned(),
                routing_key: LeadCreated::KIND.routing_key.to_owned(),
                id: event.id,
                headers: wire::headers(&event),
                body: event.data.to_string().into_bytes(),
            }
        })
        .collect();
    publisher.publish(&messages).await;
    Ok(())
}

async fn inbox_once(stack: &Stack, schema: &Schema, is_bulk: bool) -> Result<f64> {
    let bindings = Bindings::new(Producer::Task);
    let bindings = if is_bulk {
        bindings.on_all("bench", [(Producer::Crm, LeadCreated::KIND.routing_key)], Bulk)
    } else {
        bindings.on("bench", Order::None, Each)
    };
    let processor = Processor::new(schema.pool.clone(), bindings, Clock::system(), schema.wake.clone());
    let consumers = Consumers::new(processor, Connector::new(&stack.amqp_url, "bench inbox"));
    let stop = CancellationToken::new();
    let started = Instant::now();
    let running = tokio::spawn(consumers.run(stop.clone()));
    schema.until("effects", i64::try_from(MESSAGES)?).await?;
    let took = started.elapsed();
    stop.cancel();
    running.await?;
    Ok(per_second(MESSAGES, took))
}

/// The same rows by the client library alone.
async fn bare_once(stack: &Stack, is_bulk: bool) -> Result<f64> {
    let schema = stack.schema("bare").await?;
    let clock = Clock::system();
    let ids: Vec<Uuid> = (0..MESSAGES).map(|_| clock.id()).collect();
    let mut conn = Conn::establish(schema.url.expose()).await?;
    let started = Instant::now();
    for batch in ids.chunks(BATCH) {
        conn.transaction(async |conn| {
            Seen::new(batch.to_vec()).execute(conn).await?;
            if is_bulk {
                InsertAll::new(batch.to_vec()).execute(conn).await?;
            } else {
                for id in batch {
                    InsertOne::new(*id).execute(conn).await?;
                }
            }
            diesel::QueryResult::Ok(())
        })
        .await?;
    }
    Ok(per_second(MESSAGES, started.elapsed()))
}
