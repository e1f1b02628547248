//! Many who listen and hear nothing, and then the same.

use std::time::{Duration, Instant};

use bhiv_auth::Role;
use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use reqwest::{Client, Response};
use tokio::sync::mpsc::{self, Sender};
use tokio::task::JoinSet;

use super::forwarding::make_lead;
use super::town::{KEEPING_AT, Town};
use crate::page::{Page, median};
use crate::service::token;
use crate::stack::Stack;
use crate::{Result, say};

const STREAMS: usize = 1_000;

/// Every stream has an event by then, or something is broken.
const PATIENCE: Duration = Duration::from_secs(30);

pub async fn measure(stack: &Stack, page: &mut Page, runs: usize, town: &mut Town) -> Result {
    let gateway = town.fresh(stack).await?;
    let client = Client::new();
    // The first one makes what all of them share.
    let first = open(stack, &client, STREAMS).await?;
    let before = gateway.resident()?;
    let opening = stream::iter(0..STREAMS).map(|number| open(stack, &client, number)).buffer_unordered(16);
    let streams: Vec<_> = opening.try_collect().await?;
    let grown = gateway.resident()?.saturating_sub(before);
    drop(first);

    let (told, mut heard) = mpsc::channel(STREAMS);
    let mut readers = JoinSet::new();
    for stream in streams {
        readers.spawn(read(stream, told.clone()));
    }
    let mut last_ones = Vec::new();
    for run in 0..=runs {
        let sent = Instant::now();
        make_lead(stack).await?;
        let mut last = sent;
        for _ in 0..STREAMS {
            let at = tokio::time::timeout(PATIENCE, heard.recv()).await?.ok_or("a stream has ended")?;
            last = last.max(at);
        }
        let took = (last - sent).as_secs_f64() * 1000.0;
        say(&format!("an event at {STREAMS} streams {run}/{runs}: {took:.0} ms"));
        if run > 0 {
            last_ones.push(took);
        }
    }
    #[expect(clippy::cast_precision_loss, reason = "memory is smaller than 2^52")]
    let each = grown as f64 / STREAMS as f64 / 1000.0;
    page.single("memory of an idle stream, 1,000 of them", format!("{each:.1} kB"), "", "", true);
    let took = median(&mut last_ones);
    page.single("an event at all 1,000 streams", format!("{took:.0} ms"), "", "", true);
    Ok(())
}

/// A user's stream that says that it is connected.
async fn open(stack: &Stack, client: &Client, number: usize) -> Result<Response> {
    let token = token(stack, &format!("bench-{number}"), Role::Viewer)?;
    let request = client.get(format!("http://{KEEPING_AT}/events/stream?types=lead_created"));
    let mut stream = request.bearer_auth(token).send().await?.error_for_status()?;
    stream.chunk().await?.ok_or("a stream has ended")?;
    Ok(stream)
}

/// Tells when each event came.
async fn read(mut stream: Response, told: Sender<Instant>) -> Result {
    let mut text = String::new();
    while let Some(chunk) = stream.chunk().await? {
        text += std::str::from_utf8(&chunk)?;
        while let Some((event, rest)) = text.split_once("\n\n") {
            if event.contains("event: lead_created") {
                told.send(Instant::now()).await?;
            }
            text = rest.to_owned();
        }
    }
    Err("a stream has ended".into())
}
