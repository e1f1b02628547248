use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;
use tokio::sync::Notify;
use tokio::time::Instant;

use super::client::Client;

/// The story's events as the live stream brings them.
#[derive(Debug)]
pub struct Watch(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    seen: Mutex<Vec<Seen>>,
    news: Notify,
}

/// An event that arrived.
#[derive(Clone, Debug, PartialEq)]
pub struct Seen {
    /// Its public name.
    pub name: String,
    /// Its data.
    pub data: Value,
    /// When it arrived.
    pub at: Instant,
}

impl Watch {
    /// Follows the stream from now on.
    pub async fn open(client: &Client) -> Result<Self, Box<dyn std::error::Error>> {
        let mut stream = client.stream().await?;
        // The greeting: from here on nothing is missed.
        stream.chunk().await?.ok_or("the live stream ended at once")?;
        let inner = Arc::new(Inner::default());
        let filled = Arc::clone(&inner);
        tokio::spawn(async move {
            let mut text = String::new();
            while let Ok(Some(chunk)) = stream.chunk().await {
                text += &String::from_utf8_lossy(&chunk);
                while let Some((block, rest)) = text.split_once("\n\n") {
                    if let Some(seen) = read(block) {
                        filled.seen.lock().unwrap_or_else(PoisonError::into_inner).push(seen);
                        filled.news.notify_one();
                    }
                    text = rest.to_owned();
                }
            }
        });
        Ok(Self(inner))
    }

    /// How many events have arrived.
    pub fn count(&self) -> usize {
        self.0.seen.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// The event after the first `skip` ones; waits for it until `until`.
    pub async fn next(&self, skip: usize, until: Instant) -> Option<Seen> {
        loop {
            let news = self.0.news.notified();
            let seen = self.0.seen.lock().unwrap_or_else(PoisonError::into_inner).get(skip).cloned();
            if seen.is_some() {
                return seen;
            }
            tokio::time::timeout_at(until, news).await.ok()?;
        }
    }
}

fn read(block: &str) -> Option<Seen> {
    let field = |name| block.lines().find_map(|line| line.strip_prefix(name));
    let event: Value = serde_json::from_str(field("data: ")?).ok()?;
    Some(Seen { name: field("event: ")?.to_owned(), data: event.get("data")?.clone(), at: Instant::now() })
}
