//! Messages that are wrong, and handlers that are.

use std::time::Duration;

use bhiv_broker::dead_letters::{DeadLetters, in_order};
use bhiv_broker::{Connector, Fate, Message, Publisher};
use bhiv_events::Contract as _;
use rand::RngExt as _;
use rand::seq::SliceRandom as _;
use tokio::time::Instant;
use uuid::Uuid;

use super::Verdict;
use crate::Result;
use crate::arena::{Arena, Role};
use crate::lab::{Act, Changed};
use crate::load::Plan;

/// Publishes as an administrator, all of it confirmed.
async fn publish(arena: &Arena, messages: &[Message]) -> Result {
    let connector = Connector::new(&arena.servers.amqp_url()?, "chaos");
    let fates = Publisher::open(&connector).await?.publish(messages).await;
    connector.close().await;
    match fates.iter().find(|fate| **fate != Fate::Delivered) {
        Some(fate) => Err(format!("a message could not be published: {fate:?}").into()),
        None => Ok(()),
    }
}

/// Has clients write while no sink runs, and answers the messages, taken out of the sink's queue.
async fn collect(arena: &mut Arena, plan: &Plan) -> Result<Vec<Message>> {
    arena.begin().await?;
    for node in &mut arena.sinks {
        node.stop().await?;
    }
    let load = arena.clients(plan)?;
    arena.finish(load).await?;
    arena.published().await?;
    let connector = Connector::new(&arena.servers.amqp_url()?, "chaos");
    let mut messages = Vec::new();
    for delivery in arena.take("task.q.crm").await? {
        messages.push(Message {
            exchange: delivery.exchange,
            routing_key: delivery.routing_key,
            id: delivery.message_id.parse()?,
            headers: delivery.headers,
            body: delivery.body,
        });
    }
    connector.close().await;
    Ok(messages)
}

async fn start_sinks(arena: &mut Arena) -> Result {
    for node in &mut arena.sinks {
        node.start(None)?;
    }
    arena.all_ready().await
}

pub(super) async fn duplicates(arena: &mut Arena) -> Result<Verdict> {
    let mut messages = collect(arena, &Plan { requests: 100, ..Plan::default() }).await?;
    // The last one beside its repetition, the others far apart.
    for _ in 0..3 {
        publish(arena, &messages).await?;
        messages.reverse();
    }
    start_sinks(arena).await?;
    arena.settled().await?;
    let repeated = arena.repeated().await?;
    if repeated < 300.0 {
        return Err(format!("{repeated} were recognised as repeated").into());
    }
    let detail = arena.end().await?;
    Ok(Verdict::Holds(format!("{detail}, {repeated} repeated")))
}

pub(super) async fn disorder(arena: &mut Arena) -> Result<Verdict> {
    let mut messages = collect(arena, &Plan { requests: 150, subjects: 5, ..Plan::default() }).await?;
    messages.shuffle(&mut arena.chance);
    start_sinks(arena).await?;
    publish(arena, &messages).await?;
    Ok(Verdict::Holds(arena.end().await?))
}

pub(super) async fn gap(arena: &mut Arena) -> Result<Verdict> {
    let mut messages = collect(arena, &Plan { requests: 60, subjects: 3, ..Plan::default() }).await?;
    let is_change = |message: &Message| message.routing_key == Changed::KIND.routing_key;
    let missing = messages.iter().position(is_change).ok_or("no change")?;
    let missing = messages.remove(missing);
    start_sinks(arena).await?;
    publish(arena, &messages).await?;
    arena
        .until(Role::Sink, "SELECT count(*) > 0 AS holds FROM inbox_parked WHERE error_class = 'early'")
        .await?;
    publish(arena, &[missing]).await?;
    Ok(Verdict::Holds(arena.end().await?))
}

pub(super) async fn garbage(arena: &mut Arena) -> Result<Verdict> {
    let mut messages = collect(arena, &Plan { requests: 60, ..Plan::default() }).await?;
    let sample = messages.iter().find(|message| message.routing_key == Changed::KIND.routing_key);
    let sample = sample.ok_or("no change")?.clone();
    for number in 0..60_usize {
        let mut bad = sample.clone();
        bad.id = fresh_id(arena);
        bad.headers.insert("cloudEvents_id".to_owned(), bad.id.to_string());
        let class = match number % 6 {
            0 => {
                let names: Vec<_> = bad.headers.keys().filter(|name| is_required(name)).cloned().collect();
                let name = names.get(arena.chance.random_range(0..names.len())).cloned().unwrap_or_default();
                bad.headers.remove(&name);
                "undecodable"
            }
            1 => {
                bad.body = (0..50).map(|_| arena.chance.random()).collect();
                // Never JSON.
                bad.body.push(0xff);
                "undecodable"
            }
            2 => {
                bad.headers.insert("cloudEvents_type".to_owned(), "bhiv.crm.lab.changed.v9".to_owned());
                "schema"
            }
            3 => {
                bad.body = b"{\"unknown\": true}".to_vec();
                "rejected"
            }
            4 => {
                bad.headers.insert("cloudEvents_sequence".to_owned(), "first".to_owned());
                "undecodable"
            }
            _ => {
                bad.id = Uuid::from_u128(arena.chance.random::<u128>() & !(0xf << 76) | (4 << 76));
                bad.headers.insert("cloudEvents_id".to_owned(), bad.id.to_string());
                "undecodable"
            }
        };
        *arena.dead.entry(class.to_owned()).or_default() += 1;
        messages.insert(arena.chance.random_range(0..=messages.len()), bad);
    }
    start_sinks(arena).await?;
    publish(arena, &messages).await?;
    Ok(Verdict::Holds(arena.end().await?))
}

fn is_required(header: &str) -> bool {
    header.starts_with("cloudEvents_") && !header.ends_with("causationid") && !header.ends_with("dataschema")
}

#[expect(clippy::disallowed_methods, reason = "it tells messages apart and decides nothing")]
fn fresh_id(_: &Arena) -> Uuid {
    Uuid::now_v7()
}

pub(super) async fn panicking(arena: &mut Arena) -> Result<Verdict> {
    arena.begin().await?;
    arena.tell(Act::Panic, true).await?;
    let load = arena.clients(&Plan { requests: 200, every: Some((50, Act::Panic)), ..Plan::default() })?;
    arena.finish(load).await?;
    arena
        .until(Role::Sink, "SELECT count(*) >= 4 AS holds FROM inbox_parked WHERE error_class = 'panic'")
        .await?;
    arena.tell(Act::Panic, false).await?;
    arena.hurry(Role::Sink).await?;
    Ok(Verdict::Holds(arena.end().await?))
}

pub(super) async fn aborting(arena: &mut Arena) -> Result<Verdict> {
    arena.begin().await?;
    arena.tell(Act::Abort, true).await?;
    // The last one of its subject, amid others.
    let load = arena.clients(&Plan {
        requests: 200,
        subjects: 40,
        every: Some((120, Act::Abort)),
        ..Plan::default()
    })?;
    arena.finish(load).await?;
    let started = Instant::now();
    let mut deaths = 0;
    let limited = loop {
        for node in &mut arena.sinks {
            if node.has_ended() {
                deaths += 1;
                node.start(None)?;
            }
        }
        if deaths > 0 && arena.messages("task.dlq").await?.len() >= 2 {
            break started.elapsed();
        }
        if started.elapsed() > Duration::from_mins(4) {
            return Err(format!("after {deaths} deaths there is no dead letter").into());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    arena.tell(Act::Abort, false).await?;
    for node in &mut arena.sinks {
        if node.has_ended() {
            node.start(None)?;
        }
    }
    arena.all_ready().await?;
    let letters = redrive(arena, false).await?;
    arena.hurry(Role::Sink).await?;
    let detail = arena.end().await?;
    Ok(Verdict::Holds(format!("{detail}; {letters} dead letters after {deaths} deaths in {limited:.1?}")))
}

pub(super) async fn hanging(arena: &mut Arena) -> Result<Verdict> {
    arena.begin().await?;
    arena.tell(Act::Hang, true).await?;
    let load = arena.clients(&Plan { requests: 100, every: Some((60, Act::Hang)), ..Plan::default() })?;
    arena.finish(load).await?;
    let parked = "SELECT count(*) >= 2 AS holds FROM inbox_parked WHERE error LIKE '%took longer%'";
    arena.patience = Duration::from_mins(3);
    arena.until(Role::Sink, parked).await?;
    arena.tell(Act::Hang, false).await?;
    arena.hurry(Role::Sink).await?;
    Ok(Verdict::Holds(arena.end().await?))
}

/// Puts every dead letter back; with `twice`, dies once between the confirm and the removal.
async fn redrive(arena: &Arena, twice: bool) -> Result<usize> {
    let connector = Connector::new(&arena.servers.amqp_url()?, "chaos redrives");
    let mut count = 0;
    for dies in if twice { &[true, false][..] } else { &[false] } {
        let mut letters = DeadLetters::open(&connector, "task").await?;
        for letter in in_order(letters.take()) {
            letters.put_back(&letter).await.map_err(|error| error.to_string())?;
            if !dies {
                letters.remove(&letter).await?;
                count += 1;
            }
        }
        letters.close().await?;
    }
    connector.close().await;
    Ok(count)
}

pub(super) async fn crash_in_redrive(arena: &mut Arena) -> Result<Verdict> {
    arena.begin().await?;
    arena.tell(Act::Fail, true).await?;
    let load = arena.clients(&Plan { requests: 100, every: Some((25, Act::Fail)), ..Plan::default() })?;
    arena.finish(load).await?;
    arena.until(Role::Sink, "SELECT count(*) >= 4 AS holds FROM inbox_parked").await?;
    // As if an hour had passed.
    arena.sql(Role::Sink, "UPDATE inbox_parked SET attempts = 12, next_attempt_at = now()").await?;
    arena.until(Role::Sink, "SELECT count(*) = 0 AS holds FROM inbox_parked").await?;
    arena.until(Role::Sink, "SELECT count(*) = 0 AS holds FROM outbox").await?;
    arena.tell(Act::Fail, false).await?;
    let letters = redrive(arena, true).await?;
    if letters == 0 {
        return Err("there was no dead letter to put back".into());
    }
    let detail = arena.end().await?;
    Ok(Verdict::Holds(format!("{detail}, {letters} letters put back twice")))
}

pub(super) async fn backlog(arena: &mut Arena) -> Result<Verdict> {
    arena.begin().await?;
    for node in &mut arena.sinks {
        node.stop().await?;
    }
    let before = arena.source()?.resident()?;
    let plan =
        Plan { writers: 16, requests: 10_000, subjects: 500, pause: Duration::ZERO, ..Plan::default() };
    let load = arena.clients(&plan)?;
    arena.finish(load).await?;
    // They wait in the queue, not here.
    arena.published().await?;
    let grown = arena.source()?.resident()?.saturating_sub(before) / 1_048_576;
    start_sinks(arena).await?;
    let idle = arena.sink()?.resident()?;
    let started = Instant::now();
    arena.patience = Duration::from_mins(5);
    arena.settled().await?;
    let took = started.elapsed();
    let drained = arena.sink()?.resident()?.saturating_sub(idle) / 1_048_576;
    if grown > 100 || drained > 100 {
        return Err(format!("the source grew by {grown} MB, the sink by {drained} MB").into());
    }
    let detail = arena.end().await?;
    Ok(Verdict::Holds(format!("{detail}; drained in {took:.1?}, source +{grown} MB, sink +{drained} MB")))
}
