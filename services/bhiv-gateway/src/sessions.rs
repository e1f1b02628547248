//! Sessions: what a login begins, refresh tokens carry on, and a logout ends, at every replica.
//!
//! Redis has them. A refresh token names its session and its place in the chain of tokens; each place is used once.
//! Whoever comes with a token that was used has stolen it, or was stolen from: the session ends. Access tokens of an
//! ended session are refused at once here; modules, which ask nobody, accept them until they expire.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, PoisonError, RwLock};
use std::time::Duration;

use bhiv_auth::Refresh;
use bhiv_broker::Backoff;
use bhiv_clock::Clock;
use chrono::{DateTime, TimeDelta, Utc};
use deadpool_redis::redis::{self, Script};
use serde::Serialize;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use utoipa::ToSchema;

use crate::redis::Redis;

/// Where replicas tell each other of sessions that have ended.
pub const CHANNEL: &str = "sessions";

/// How often a replica forgets sessions that ended long ago.
const HOUSEKEEPING: Duration = Duration::from_mins(1);

/// Sessions of one user that are shown, at most.
const SHOWN: isize = 100;

/// Address, agent, when it began, when it was used.
type Fields = (Option<String>, Option<String>, Option<i64>, Option<i64>);

static BEGIN: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "redis.call('HSET', KEYS[1], 'user', ARGV[1], 'address', ARGV[2], 'agent', ARGV[3], 'began', ARGV[4],
           'used', ARGV[4], 'generation', 1)
         redis.call('PEXPIRE', KEYS[1], ARGV[5])
         redis.call('ZADD', KEYS[2], ARGV[4], ARGV[6])
         redis.call('PEXPIRE', KEYS[2], ARGV[5])",
    )
});

/// Answers the next place, 0 when there is no such session, or -1 when the place was used before; then the session
/// has ended.
static REFRESH: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "local place = redis.call('HGET', KEYS[1], 'generation')
         if not place or redis.call('HGET', KEYS[1], 'user') ~= ARGV[1] then return 0 end
         if place ~= ARGV[2] then
           redis.call('DEL', KEYS[1])
           redis.call('ZREM', KEYS[2], ARGV[5])
           redis.call('ZADD', KEYS[3], ARGV[6], ARGV[5])
           redis.call('PUBLISH', KEYS[4], ARGV[5])
           return -1
         end
         redis.call('HSET', KEYS[1], 'used', ARGV[3])
         redis.call('PEXPIRE', KEYS[1], ARGV[4])
         redis.call('PEXPIRE', KEYS[2], ARGV[4])
         return redis.call('HINCRBY', KEYS[1], 'generation', 1)",
    )
});

/// The sessions. Cloning it shares them.
#[derive(Clone, Debug)]
pub struct Sessions(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    redis: Redis,
    clock: Clock,
    /// How long access tokens are valid.
    access: TimeDelta,
    /// A session that is not used for so long ends.
    idle: TimeDelta,
    /// Those that have ended and may still have valid access tokens; until when, in milliseconds since 1970.
    ended: RwLock<HashMap<String, i64>>,
    missed: Notify,
}

/// What came of a refresh token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// It was the current one; this is the place of the next.
    Next(u64),
    /// Its session has ended.
    Ended,
    /// It was used before. Its session has ended now.
    Reused,
}

/// A session of a user.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Session {
    /// Its id.
    pub id: String,
    /// The address that it began from.
    pub address: String,
    /// What the client called itself then.
    pub agent: String,
    /// When it began.
    pub began: DateTime<Utc>,
    /// When it was last carried on.
    pub used: DateTime<Utc>,
}

/// Redis is away: sessions can neither begin nor end.
#[derive(Clone, Copy, Debug)]
pub struct Away;

impl Sessions {
    /// Knows nothing of ended ones until [`Sessions::follow`] is polled.
    pub fn new(redis: Redis, clock: Clock, access: TimeDelta, idle: TimeDelta) -> Self {
        let (ended, missed) = (RwLock::default(), Notify::new());
        Self(Arc::new(Inner { redis, clock, access, idle, ended, missed }))
    }

    /// A session begins. Answers the claims of its first refresh token.
    ///
    /// # Errors
    /// When Redis is away.
    pub async fn begin(
        &self,
        session: &str,
        user: &str,
        address: &str,
        agent: &str,
    ) -> Result<Refresh, Away> {
        let now = self.0.clock.now();
        let mut beginning = BEGIN.prepare_invoke();
        beginning.key(self.session(session)).key(self.of_user(user));
        beginning.arg(user).arg(address).arg(agent).arg(now.timestamp_millis());
        beginning.arg(self.0.idle.num_milliseconds()).arg(session);
        let began = self.0.redis.ask("sessions", async |conn| beginning.invoke_async::<()>(conn).await).await;
        began.ok_or(Away)?;
        Ok(self.link(session, user, 1, now))
    }

    /// Uses a refresh token.
    ///
    /// # Errors
    /// When Redis is away.
    pub async fn carry_on(&self, refresh: &Refresh) -> Result<Use, Away> {
        let Refresh { session, user, generation, .. } = refresh;
        let now = self.0.clock.now();
        let until = (now + self.0.access).timestamp_millis();
        let mut using = REFRESH.prepare_invoke();
        using.key(self.session(session)).key(self.of_user(user));
        using.key(self.ended()).key(self.0.redis.key(CHANNEL));
        using.arg(user).arg(*generation).arg(now.timestamp_millis()).arg(self.0.idle.num_milliseconds());
        using.arg(session).arg(until);
        let place = self.0.redis.ask("sessions", async |conn| using.invoke_async::<i64>(conn).await).await;
        match u64::try_from(place.ok_or(Away)?) {
            Ok(0) => Ok(Use::Ended),
            Ok(place) => Ok(Use::Next(place)),
            Err(_) => {
                self.note_ended(session.clone(), until);
                Ok(Use::Reused)
            }
        }
    }

    /// The claims of the refresh token at that place of the chain.
    pub fn link(&self, session: &str, user: &str, generation: u64, now: DateTime<Utc>) -> Refresh {
        let expires = now + self.0.idle;
        Refresh { session: session.to_owned(), user: user.to_owned(), generation, expires }
    }

    /// Sessions of `user` end, or other things that access tokens name, such as keys of machines.
    ///
    /// # Errors
    /// When Redis is away: only this replica knows then.
    pub async fn end(&self, user: &str, sessions: &[String]) -> Result<(), Away> {
        if sessions.is_empty() {
            return Ok(());
        }
        let until = (self.0.clock.now() + self.0.access).timestamp_millis();
        let mut ending = redis::pipe();
        ending.atomic();
        for session in sessions {
            self.note_ended(session.clone(), until);
            ending.del(self.session(session)).ignore().zrem(self.of_user(user), session).ignore();
            ending.zadd(self.ended(), session, until).ignore();
            ending.publish(self.0.redis.key(CHANNEL), session).ignore();
        }
        self.0.redis.ask("sessions", async |conn| ending.query_async::<()>(conn).await).await.ok_or(Away)
    }

    /// All sessions of `user`, the newest first.
    ///
    /// # Errors
    /// When Redis is away.
    pub async fn of(&self, user: &str) -> Result<Vec<Session>, Away> {
        let key = self.of_user(user);
        let listing = async |conn: &mut _| {
            redis::cmd("ZREVRANGE").arg(&key).arg(0).arg(SHOWN - 1).query_async::<Vec<String>>(conn).await
        };
        let ids = self.0.redis.ask("sessions", listing).await.ok_or(Away)?;
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let mut reading = redis::pipe();
        for id in &ids {
            reading.cmd("HMGET").arg(self.session(id)).arg(&["address", "agent", "began", "used"]);
        }
        let read = async |conn: &mut _| reading.query_async::<Vec<Fields>>(conn).await;
        let rows = self.0.redis.ask("sessions", read).await.ok_or(Away)?;
        let sessions = ids.into_iter().zip(rows).filter_map(|(id, (address, agent, began, used))| {
            Some(Session {
                id,
                address: address?,
                agent: agent?,
                began: DateTime::from_timestamp_millis(began?)?,
                used: DateTime::from_timestamp_millis(used?)?,
            })
        });
        Ok(sessions.collect())
    }

    /// Whether access tokens of that session are of no use any more.
    pub fn is_ended(&self, session: &str) -> bool {
        self.0.ended.read().unwrap_or_else(PoisonError::into_inner).contains_key(session)
    }

    /// Another replica told that a session has ended, or something may have been missed.
    pub fn heard(&self, session: Option<&str>) {
        match session {
            Some(session) => {
                let until = (self.0.clock.now() + self.0.access).timestamp_millis();
                self.note_ended(session.to_owned(), until);
            }
            None => self.0.missed.notify_one(),
        }
    }

    /// Learns what was missed and forgets what is of no interest any more, until `stop`.
    pub async fn follow(self, stop: CancellationToken) {
        let mut backoff = Backoff::reconnect();
        while !stop.is_cancelled() {
            // What was missed while Redis was away is learnt as soon as it is back.
            let pause = if self.catch_up().await {
                backoff.reset();
                HOUSEKEEPING
            } else {
                backoff.next_delay()
            };
            tokio::select! {
                () = self.0.missed.notified() => {}
                () = tokio::time::sleep(pause) => {}
                () = stop.cancelled() => return,
            }
        }
    }

    /// Whether Redis could be asked.
    async fn catch_up(&self) -> bool {
        let now = self.0.clock.now().timestamp_millis();
        let mut reading = redis::pipe();
        reading.cmd("ZREMRANGEBYSCORE").arg(self.ended()).arg("-inf").arg(now).ignore();
        reading.cmd("ZRANGE").arg(self.ended()).arg(0).arg(-1).arg("WITHSCORES");
        let read = async |conn: &mut _| reading.query_async::<(Vec<(String, f64)>,)>(conn).await;
        let read = self.0.redis.ask("ended sessions", read).await;
        let was_asked = read.is_some();
        let mut ended = self.0.ended.write().unwrap_or_else(PoisonError::into_inner);
        ended.retain(|_, until| *until > now);
        #[expect(clippy::cast_possible_truncation, reason = "milliseconds since 1970 fit")]
        ended.extend(read.into_iter().flat_map(|(rows,)| rows).map(|(id, until)| (id, until as i64)));
        was_asked
    }

    fn note_ended(&self, session: String, until: i64) {
        self.0.ended.write().unwrap_or_else(PoisonError::into_inner).insert(session, until);
    }

    fn session(&self, id: &str) -> String {
        self.0.redis.key(format_args!("session:{id}"))
    }

    fn of_user(&self, user: &str) -> String {
        self.0.redis.key(format_args!("sessions:{user}"))
    }

    fn ended(&self) -> String {
        self.0.redis.key("sessions-ended")
    }
}
