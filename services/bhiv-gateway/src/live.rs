//! Live events: from the table to the streams of this replica.

mod reader;
mod shown;
mod streams;

pub use reader::{End, News, Reader, Sources};
pub use shown::{Shown, Wanted};
pub use streams::{Full, Streams};

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use bhiv_db::{Error, Pool};
use tokio::sync::{Notify, broadcast};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::redis::Redis;
use crate::store::live_event;

/// Events that are kept at hand for readers. One that is further behind reads the table.
const AT_HAND: usize = 1024;

/// How often the table is looked at when nobody tells of news.
const POLL: Duration = Duration::from_millis(500);

/// How long after a message or a commit others are told, so that a burst is told once.
const COALESCE: Duration = Duration::from_millis(5);

/// Where replicas tell each other that there are new events.
pub const CHANNEL: &str = "live";

/// Events that are read at a time.
const PAGE: i64 = 500;

/// The events that streams show, as they become known. Cloning it shares it.
#[derive(Clone, Debug)]
pub struct Live(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    appended_here: Notify,
    appended_elsewhere: Notify,
    shown: broadcast::Sender<Arc<Shown>>,
    /// The place of the newest event that was shown.
    newest: AtomicI64,
    /// Events that a reader who is slower than they come may be behind.
    most_behind: i64,
    heartbeat: Duration,
}

impl Default for Live {
    fn default() -> Self {
        Self::new(Duration::from_secs(15), i64::MAX)
    }
}

impl Live {
    /// Nothing is shown yet.
    pub fn new(heartbeat: Duration, most_behind: i64) -> Self {
        Self(Arc::new(Inner {
            appended_here: Notify::new(),
            appended_elsewhere: Notify::new(),
            shown: broadcast::Sender::new(AT_HAND),
            newest: AtomicI64::new(0),
            most_behind,
            heartbeat,
        }))
    }

    /// How often a stream shows that it is there when nothing happens.
    pub fn heartbeat(&self) -> Duration {
        self.0.heartbeat
    }

    /// Whether a reader at the place `last` is too slow.
    pub fn is_too_far_behind(&self, last: i64) -> bool {
        self.0.newest.load(Ordering::Relaxed) - last > self.0.most_behind
    }

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
    pub fn subscribe(&self) -> broadcast::Receiver<Arc<Shown>> {
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
    /// where the end is, and only then whether there is a reader: one who comes later finds in the table what was
    /// not shown. A reader knows its own place, so the first look may show too much, and does: a reader may have
    /// come before it.
    async fn show_new(&self, pool: &Pool, last: Option<i64>) -> Result<i64, Error> {
        let mut conn = pool.get().await?;
        let end = live_event::last(&mut conn).await?;
        if self.0.shown.receiver_count() == 0 {
            self.0.newest.store(end, Ordering::Relaxed);
            return Ok(end);
        }
        let mut last = last.unwrap_or(end - PAGE);
        loop {
            let page = live_event::after(&mut conn, last, PAGE).await?;
            let Some(end) = page.last() else { return Ok(last) };
            last = end.seq;
            for event in page {
                // Without readers there is nobody to tell.
                let _ = self.0.shown.send(Arc::new(event.into()));
            }
            self.0.newest.store(last, Ordering::Relaxed);
        }
    }
}
