use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;

use futures_util::StreamExt as _;
use reqwest::StatusCode;
use serde_json::Value;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::Result;

/// Somebody who follows a live stream, and comes back with the last id whenever it ends.
#[derive(Debug)]
pub(super) struct Follower {
    pub http: reqwest::Client,
    pub url: String,
    pub token: String,
    /// How many events were seen.
    pub seen: Arc<AtomicUsize>,
}

/// What somebody saw.
#[derive(Debug, Default)]
pub(super) struct Seen {
    pub events: HashSet<Uuid>,
    /// How often the stream was opened.
    pub streams: usize,
    last: Option<i64>,
}

impl Follower {
    /// Follows until `stop`. `begun` is cancelled when the first stream is open.
    pub(super) async fn follow(self, begun: CancellationToken, stop: CancellationToken) -> Result<Seen> {
        let mut seen = Seen::default();
        while !stop.is_cancelled() {
            let mut request = self.http.get(&self.url).bearer_auth(&self.token);
            if let Some(last) = seen.last {
                request = request.header("last-event-id", last);
            }
            let answer = request.send().await.map_err(|error| format!("{error:?}"))?;
            if answer.status() != StatusCode::OK {
                return Err(format!("a stream was answered with {}", answer.status()).into());
            }
            seen.streams += 1;
            begun.cancel();
            let (mut chunks, mut text) = (answer.bytes_stream(), Vec::new());
            // A stream that breaks is one that ends: what was not whole comes again.
            while let Some(Some(Ok(chunk))) = stop.run_until_cancelled(chunks.next()).await {
                text.extend_from_slice(&chunk);
                while let Some(end) = text.windows(2).position(|two| two == b"\n\n") {
                    let block: Vec<u8> = text.drain(..end + 2).collect();
                    seen.take(&String::from_utf8(block)?)?;
                    self.seen.store(seen.events.len(), Relaxed);
                }
            }
        }
        Ok(seen)
    }
}

impl Seen {
    fn take(&mut self, block: &str) -> Result {
        let field = |name: &str| block.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        let Some(data) = field("data") else { return Ok(()) };
        let id: i64 = field("id").ok_or_else(|| format!("a stream says: {block}"))?.parse()?;
        if self.last.is_some_and(|last| id <= last) {
            return Err(format!("a stream shows the place {id} after {:?}", self.last).into());
        }
        self.last = Some(id);
        let event: Value = serde_json::from_str(data)?;
        let event = event.get("id").and_then(Value::as_str).ok_or("an event has no id")?;
        self.events.insert(event.parse()?);
        Ok(())
    }
}
