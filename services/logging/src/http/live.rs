//! Entries as they come in, as server-sent events.

use std::collections::HashSet;
use std::convert::Infallible;
use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::web::{Bytes, Data};
use bhiv_auth::require::LoggingRead;
use bhiv_service::Context;
use bhiv_web::{Can, EventStream, Result, ValidQuery};
use chrono::{DateTime, TimeDelta, Utc};
use futures_util::{StreamExt as _, stream};
use serde_json::json;

use super::logs::Opens;
use super::query::filtered;
use crate::domain::ids::EntryId;
use crate::store::entry::{self, Filter, LogEntry};
use crate::store::opened;

/// How often it is looked for new entries.
const EVERY: Duration = Duration::from_millis(500);

/// Entries that are shown at once, at most.
const MOST: i64 = 1_000;

/// What is heard later than this after it happened is not shown.
const LATE: TimeDelta = TimeDelta::seconds(10);

/// Looks between two signs of life.
const QUIET: u32 = 30;

filtered! {
    /// Which entries.
    pub struct FollowLogs {}
}

/// One stream.
struct Tail {
    logging: Data<Context>,
    opens: Data<Opens>,
    filter: Filter,
    /// When the caller's token ends.
    expires: DateTime<Utc>,
    /// Those of the last seconds that were shown.
    seen: HashSet<EntryId>,
    /// What was there before is not shown.
    is_first: bool,
    quiet: u32,
}

pub async fn follow(
    who: Can<LoggingRead>,
    ValidQuery(query): ValidQuery<FollowLogs>,
    opens: Data<Opens>,
    logging: Data<Context>,
) -> Result<EventStream> {
    let filter = query.filter("?q")?;
    let expires = who.caller.expires;
    let mut tail = Tail { logging, opens, filter, expires, seen: HashSet::new(), is_first: true, quiet: 0 };
    // From here on nothing is missed.
    tail.look().await?;
    let head = stream::iter([Bytes::from_static(b"retry: 2000\n: connected\n\n")]);
    let news = stream::unfold(Some(tail), async |tail| {
        let mut tail = tail?;
        match tail.next().await {
            Some(text) => Some((text, Some(tail))),
            None => Some((Bytes::from_static(b": bye\n\n"), None)),
        }
    });
    let answer = HttpResponse::Ok()
        .content_type("text/event-stream")
        .insert_header(("cache-control", "no-cache"))
        .insert_header(("x-accel-buffering", "no"))
        .streaming(head.chain(news).map(Ok::<_, Infallible>));
    Ok(EventStream(answer))
}

impl Tail {
    /// The next text; none when the stream ends: the service stops, the token has ended, or the database is away. The
    /// reader comes back by itself.
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            tokio::select! {
                () = tokio::time::sleep(EVERY) => {}
                () = self.logging.stopping().cancelled() => return None,
            }
            if self.logging.clock().now() >= self.expires {
                return None;
            }
            let text = self.look().await.ok()?;
            if !text.is_empty() {
                self.quiet = 0;
                return Some(text.into());
            }
            self.quiet += 1;
            if self.quiet == QUIET {
                self.quiet = 0;
                return Some(Bytes::from_static(b": still here\n\n"));
            }
        }
    }

    /// What came in since it was looked last, as text.
    async fn look(&mut self) -> Result<String> {
        let since = self.logging.clock().now() - LATE;
        let mut conn = self.logging.read().await?;
        let mut entries = entry::newest_minted(&mut conn, &self.filter, since, MOST).await?;
        let is_full = i64::try_from(entries.len()).is_ok_and(|count| count == MOST);
        let shown: HashSet<_> = entries.iter().map(|entry| entry.id).collect();
        entries.retain(|entry| !self.seen.contains(&entry.id));
        let is_gap = is_full && i64::try_from(entries.len()).is_ok_and(|count| count == MOST);
        self.seen = shown;
        if std::mem::take(&mut self.is_first) {
            return Ok(String::new());
        }
        opened::open(&mut conn, self.opens.as_ref().as_deref(), &mut entries).await?;
        let mut text = String::new();
        if is_gap {
            // More came in than is shown; the list has all of it.
            text += "event: gap\ndata: {}\n\n";
        }
        for entry in entries.iter().rev() {
            text += &sse(entry);
        }
        Ok(text)
    }
}

fn sse(entry: &LogEntry) -> String {
    format!(
        "id: {}\nevent: {}\ndata: {}\n\n",
        entry.id,
        entry.event_type.replace(['\n', '\r'], " "),
        json!(entry)
    )
}
