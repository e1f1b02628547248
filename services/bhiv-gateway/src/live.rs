//! Live events: from the table to the streams of this replica.

use std::sync::Arc;
use std::time::Duration;

use bhiv_db::{Error, Pool};
use tokio::sync::{Notify, broadcast};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::redis::Redis;
use crate::store::live_event::{self, LiveEvent};

/// Events that a slow reader may be behind before it is dropped.
const BEHIND: usize = 1024;

/// How often the table is looked at when nobody tells of news.
const POLL: Duration = Duration::from_millis(500);

/// How long after a message or a commit others are told, so that a burst is told once.
const COALESCE: Duration = Duration::from_millis(5);

/// Where replicas tell each other that there are new events.
pub const CHANNEL: &str = "live";

/// Events that are read at a time.
pub const PAGE: i64 = 500;

/// The events that streams show, as they become known. Cloning it shares it.
#[derive(Clone, Debug)]
pub struct Live(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    appended_here: Notify,
    appended_elsewhere: Notify,
    shown: broadcast::Sender<Arc<LiveEvent>>,
}

impl Default for Live {
    fn default() -> Self {
        Self(Arc::new(Inner {
            appended_here: Notify::new(),
            appended_elsewhere: Notify::new(),
            shown: broadcast::Sender::new(BEHIND),
        }))
    }
}

impl Live {
    /// This replica wrote new events.
    pub fn appended(&self) {
        self.0.appended_here.notify_one();
    }

    /// Another replica did.
    pub fn heard(&self) {
        self.0.appended_elsewhere.notify_one();
    }

    /// How many streams there are here.
    pub fn readers(&self) -> usize {
        self.0.shown.receiver_count()
    }

    /// Everything that is shown from now on.
    pub fn subscribe(&self) -> broadcast::Receiver<Arc<LiveEvent>> {
        self.0.shown.subscribe()
    }

    /// Reads what is new and shows it, until `stop`.
    pub async fn follow(self, pool: Pool, redis: Redis, stop: CancellationToken) {
        let mut last = None;
        while !stop.is_cancelled() {
            let here = tokio::select! {
                () = self.0.appended_here.notified() => true,
                () = self.0.appended_elsewhere.notified() => false,
                () = tokio::time::sleep(POLL) => false,
                () = stop.cancelled() => return,
            };
            if here {
                tokio::time::sleep(COALESCE).await;
                redis.tell(CHANNEL, "").await;
            }
            match self.show_new(&pool, last).await {
                Ok(place) => last = Some(place),
                Err(error) => warn!(%error, "live streams have to wait"),
            }
        }
    }

    /// Shows what stands above the place `last`, and answers the highest place. Without readers it only looks
    /// where the end is. A reader knows its own place, so the first look may show too much, and does: a reader
    /// may have come before it.
    async fn show_new(&self, pool: &Pool, last: Option<i64>) -> Result<i64, Error> {
        let mut conn = pool.get().await?;
        if self.0.shown.receiver_count() == 0 {
            return Ok(live_event::last(&mut conn).await?);
        }
        let mut last = match last {
            Some(last) => last,
            None => live_event::last(&mut conn).await? - PAGE,
        };
        loop {
            let page = live_event::after(&mut conn, last, PAGE).await?;
            let Some(end) = page.last() else { return Ok(last) };
            last = end.seq;
            for event in page {
                // Without readers there is nobody to tell.
                let _ = self.0.shown.send(Arc::new(event));
            }
        }
    }
}
