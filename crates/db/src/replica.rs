#![expect(unused_parens, reason = "a statement may have one column or several")]

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use bhiv_settings::Replica as Settings;
use bhiv_telemetry::metrics::{Counter, KeyValue, counter};
use diesel::sql_types::{Bool, Text};
use diesel_async::RunQueryDsl as _;
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tracing::debug;

use crate::{Error, Pool, PooledConnection};

/// A standby that could not be asked is left alone for so long.
const REST: Duration = Duration::from_secs(1);

/// A standby that takes longer to say how far it is costs more than it spares.
const PATIENCE: Duration = Duration::from_millis(250);

crate::statement! {
    /// Whether the standby behind this connection has everything up to a place in the log. A primary has no such place.
    struct HasReplayed<'a> { place: &'a str } -> (Bool);
    "SELECT coalesce(pg_last_wal_replay_lsn() >= " [place: Text] "::pg_lsn, false)"
}

crate::statement! {
    /// Up to where the primary's log is on its disk.
    struct Flushed<'a> { } -> (Text);
    "SELECT pg_current_wal_flush_lsn()::text"
}

/// Standbys to read from, as long as they have everything that is older than a bound. Cloning it shares it.
///
/// How far the primary was, and when, is noted all the time. A connection to a standby is lent only when that very standby
/// has replayed what the primary had on disk at the beginning of the bound. So clocks are not compared, and behind one
/// address there may be several standbys.
#[derive(Clone, Debug)]
pub struct Replica {
    standbys: Pool,
    bound: Duration,
    places: watch::Sender<Places>,
    away_until: watch::Sender<Option<Instant>>,
    asked: Counter<u64>,
}

impl Replica {
    /// That of the settings, if they name one, as [`Pool::new`] makes one.
    ///
    /// # Errors
    /// When the settings cannot make a pool.
    pub fn new(settings: &Settings, connections: usize, workers: usize) -> Result<Option<Self>, Error> {
        let Some(url) = &settings.database_read_url else { return Ok(None) };
        Ok(Some(Self {
            standbys: Pool::open(url.expose(), connections, workers, "standby")?,
            bound: Duration::from_millis(settings.read_max_staleness_ms),
            places: watch::Sender::default(),
            away_until: watch::Sender::default(),
            asked: counter("db_standby_reads", "Reads that a standby may answer, by whether it did."),
        }))
    }

    /// A connection to a standby that lacks nothing from before the bound; `None` when there is none just now.
    pub async fn get(&self) -> Option<PooledConnection> {
        let is_away = self.away_until.borrow().is_some_and(|until| Instant::now() < until);
        let found = if is_away {
            Ok(None)
        } else {
            timeout(PATIENCE, self.find())
                .await
                .unwrap_or_else(|_| Err(Error::Unavailable(format!("no answer within {PATIENCE:?}"))))
        };
        let outcome = match &found {
            Ok(Some(_)) => "used",
            Ok(None) if is_away => "away",
            Ok(None) => "behind",
            Err(error) => {
                debug!(%error, "no standby answers");
                self.away_until.send_replace(Some(Instant::now() + REST));
                "away"
            }
        };
        self.asked.add(1, &[KeyValue::new("outcome", outcome)]);
        found.ok().flatten()
    }

    async fn find(&self) -> Result<Option<PooledConnection>, Error> {
        let place = self.places.borrow().oldest_since(Instant::now().checked_sub(self.bound));
        let Some(place) = place else { return Ok(None) };
        let mut conn = self.standbys.get().await?;
        let has_replayed: bool = HasReplayed::new(&place).get_result(&mut conn).await?;
        Ok(has_replayed.then_some(conn))
    }

    /// Notes how far the primary is, until `stop`.
    pub async fn follow(self, primary: Pool, stop: CancellationToken) {
        let every = (self.bound / 8).clamp(Duration::from_millis(20), Duration::from_millis(500));
        while stop.run_until_cancelled(tokio::time::sleep(every)).await.is_some() {
            // Before it is asked: whatever was answered until now is in what it says.
            let at = Instant::now();
            match flushed(&primary).await {
                Ok(place) => self.places.send_modify(|places| places.note(at, place, self.bound)),
                Err(error) => debug!(%error, "the primary does not say how far it is"),
            }
        }
        self.standbys.close();
    }
}

async fn flushed(primary: &Pool) -> Result<String, Error> {
    Ok(Flushed::new().get_result(&mut primary.get().await?).await?)
}

/// How far the primary was, and when; the newest last.
#[derive(Debug, Default)]
struct Places(VecDeque<(Instant, String)>);

impl Places {
    fn note(&mut self, at: Instant, place: String, bound: Duration) {
        let begin = at.checked_sub(bound);
        self.0.retain(|(noted, _)| begin.is_none_or(|begin| *noted >= begin));
        self.0.push_back((at, place));
    }

    /// The oldest one that is not older than `begin`: it has everything from before that.
    fn oldest_since(&self, begin: Option<Instant>) -> Option<String> {
        self.0.iter().find(|(at, _)| begin.is_none_or(|begin| *at >= begin)).map(|(_, place)| place.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_standby_needs_what_the_primary_had_when_the_bound_began() {
        let (begin, bound) = (Instant::now(), Duration::from_secs(1));
        let at = |milliseconds| begin + Duration::from_millis(milliseconds);
        let mut places = Places::default();
        assert_eq!(places.oldest_since(None), None);
        for (milliseconds, place) in [(0, "0/1"), (400, "0/2"), (800, "0/3")] {
            places.note(at(milliseconds), place.to_owned(), bound);
        }
        assert_eq!(places.oldest_since(at(900).checked_sub(bound)).as_deref(), Some("0/1"));
        assert_eq!(places.oldest_since(at(1_100).checked_sub(bound)).as_deref(), Some("0/2"));
        assert_eq!(places.oldest_since(at(1_500).checked_sub(bound)).as_deref(), Some("0/3"));
        // Nobody has said for too long how far the primary is.
        assert_eq!(places.oldest_since(at(1_900).checked_sub(bound)), None);
        places.note(at(2_000), "0/4".to_owned(), bound);
        assert_eq!(places.0.len(), 1);
    }
}
