//! Outbox to broker.

use std::time::{Duration, Instant};

use bhiv_broker::Connector;
use bhiv_events::Producer;
use bhiv_outbox::Relay;
use futures_util::StreamExt as _;
use futures_util::stream::FuturesOrdered;
use lapin::BasicProperties;
use lapin::options::{BasicPublishOptions, ConfirmSelectOptions};
use lapin::types::{AMQPValue, FieldTable};
use tokio_util::sync::CancellationToken;

use crate::page::Page;
use crate::service::resident;
use crate::stack::{Schema, Stack};
use crate::{Result, say};

const EVENTS: usize = 60_000;
const WINDOW: usize = 256;

pub async fn throughput(stack: &Stack, page: &mut Page, runs: usize) -> Result {
    let connector = stack.queue().await?;
    let (mut ours, mut bare) = (Vec::new(), Vec::new());
    for run in 0..=runs {
        let relay = relay_once(stack).await?;
        stack.purge().await?;
        let lapin = bare_once(&connector).await?;
        stack.purge().await?;
        say(&format!("relay {run}/{runs}: {relay:.0}/s, lapin alone {lapin:.0}/s"));
        // The first one is the warm-up.
        if run > 0 {
            ours.push(relay);
            bare.push(lapin);
        }
    }
    page.rates("relay, 512 bytes", ours, "lapin alone", bare, 0.8, 12_000.0);
    connector.close().await;
    Ok(())
}

async fn relay_once(stack: &Stack) -> Result<f64> {
    let schema = stack.schema("relay").await?;
    schema.fill(EVENTS).await?;
    let started = Instant::now();
    drain(stack, &schema).await?;
    Ok(per_second(EVENTS, started.elapsed()))
}

/// Runs a relay until the outbox is empty.
async fn drain(stack: &Stack, schema: &Schema) -> Result {
    let stop = CancellationToken::new();
    let connector = Connector::new(&stack.amqp_url, "bench relay");
    let relay = Relay::new(Producer::Crm, schema.url.clone(), connector, schema.wake.clone());
    let running = tokio::spawn(relay.run(stop.clone()));
    schema.until("(SELECT FROM outbox LIMIT 1) AS one", 0).await?;
    stop.cancel();
    running.await?;
    Ok(())
}

/// The client library alone: messages like the relay's, confirms under way as many as the relay's.
async fn bare_once(connector: &Connector) -> Result<f64> {
    let channel = connector.connection().await.create_channel().await?;
    channel.confirm_select(ConfirmSelectOptions::default()).await?;
    let body = format!("{{\"a\": \"{}\"}}", "x".repeat(503));
    let mut headers = FieldTable::default();
    headers.insert("cloudEvents_specversion".into(), AMQPValue::LongString("1.0".into()));
    let started = Instant::now();
    let mut under_way = FuturesOrdered::new();
    for number in 0..EVENTS {
        let properties = BasicProperties::default()
            .with_delivery_mode(2)
            .with_content_type("application/json".into())
            .with_message_id(number.to_string().into())
            .with_headers(headers.clone());
        let (channel, body) = (channel.clone(), body.as_bytes());
        under_way.push_back(async move {
            let options = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
            let (exchange, key) = ("bhiv.crm".into(), "crm.lead.created.v1".into());
            channel.basic_publish(exchange, key, options, body, properties).await?.await
        });
        if under_way.len() == WINDOW {
            under_way.next().await.transpose()?;
        }
    }
    while under_way.next().await.transpose()?.is_some() {}
    let took = started.elapsed();
    channel.close(200, "bye".into()).await?;
    Ok(per_second(EVENTS, took))
}

pub async fn backlog(stack: &Stack, page: &mut Page) -> Result {
    const ROWS: usize = 1_000_000;
    let connector = stack.queue().await?;
    let schema = stack.schema("backlog").await?;
    say("backlog: filling the outbox with 1,000,000 events");
    for _ in 0..10 {
        schema.fill(ROWS / 10).await?;
    }
    let stop = CancellationToken::new();
    let publishing = Connector::new(&stack.amqp_url, "bench relay");
    let relay = Relay::new(Producer::Crm, schema.url.clone(), publishing, schema.wake.clone());
    let before = resident("self")?;
    let running = tokio::spawn(relay.run(stop.clone()));
    let mut highest = before;
    let mut tenths = Vec::new();
    for tenth in 1..=10_usize {
        let started = Instant::now();
        // By the lowest id, not by a count, which would be the slower the more there is.
        let done = tenth * ROWS / 10;
        schema.until(&format!("(SELECT FROM outbox WHERE id <= {done} LIMIT 1) AS one"), 0).await?;
        let rate = per_second(ROWS / 10, started.elapsed());
        highest = highest.max(resident("self")?);
        stack.purge().await?;
        say(&format!("backlog {tenth}/10: {rate:.0}/s, {} MB", highest / 1_000_000));
        tenths.push(rate);
    }
    stop.cancel();
    running.await?;
    connector.close().await;
    let first = tenths.first().copied().unwrap_or_default();
    let slowest = tenths.iter().copied().fold(f64::INFINITY, f64::min);
    let ratio = slowest / first;
    let grown = highest.saturating_sub(before) / 1_000_000;
    page.single(
        "backlog of 1,000,000: slowest tenth",
        format!("{slowest:.0}/s"),
        &format!("the first tenth: {first:.0}/s ({ratio:.2})"),
        "0.8",
        ratio >= 0.8,
    );
    page.single("backlog of 1,000,000: memory", format!("+{grown} MB"), "", "+50 MB", grown <= 50);
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "a rate is a float")]
pub fn per_second(count: usize, took: Duration) -> f64 {
    count as f64 / took.as_secs_f64()
}
