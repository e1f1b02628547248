//! Time, ids and chance: the three things that make a program differ from run to run.
//!
//! They are passed in as a [`Clock`], so that a test sets the time and repeats what chance decided.

use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Timelike as _, Utc};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use uuid::{Builder, Uuid};

/// A source of time, ids and chance. Cloning it shares it.
#[derive(Clone, Debug)]
pub struct Clock {
    state: Arc<Mutex<State>>,
    /// Whoever only wants the system's time waits for nobody.
    is_system: bool,
}

#[derive(Debug)]
struct State {
    /// `None` is the system's time.
    time: Option<DateTime<Utc>>,
    chance: StdRng,
    /// Time, in milliseconds, and counter of the last id: ids of one process only grow.
    last_id: (u64, u16),
}

impl Clock {
    /// The system's time and chance.
    pub fn system() -> Self {
        Self::with(None, StdRng::from_rng(&mut rand::rng()))
    }

    /// Stands at `time` until it is moved; `seed` decides what chance brings.
    pub fn manual(time: DateTime<Utc>, seed: u64) -> Self {
        Self::with(Some(time), StdRng::seed_from_u64(seed))
    }

    fn with(time: Option<DateTime<Utc>>, chance: StdRng) -> Self {
        let is_system = time.is_none();
        Self { state: Arc::new(Mutex::new(State { time, chance, last_id: (0, 0) })), is_system }
    }

    /// The time now.
    pub fn now(&self) -> DateTime<Utc> {
        if self.is_system { whole_micros(system_time()) } else { self.locked(|state| state.now()) }
    }

    /// A new UUIDv7. Ids of one clock grow, within a millisecond too (RFC 9562, method 1).
    pub fn id(&self) -> Uuid {
        self.locked(State::id)
    }

    /// A number from 0 up to but not including 1.
    pub fn chance(&self) -> f64 {
        self.locked(|state| state.chance.random())
    }

    /// Moves a manual clock; the system's clock stays what it is.
    pub fn advance(&self, by: TimeDelta) {
        self.locked(|state| state.time = state.time.map(|time| time + by));
    }

    fn locked<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        act(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl State {
    fn now(&self) -> DateTime<Utc> {
        whole_micros(self.time.unwrap_or_else(system_time))
    }

    fn id(&mut self) -> Uuid {
        let now = u64::try_from(self.now().timestamp_millis()).unwrap_or(0);
        let (last, counter) = self.last_id;
        self.last_id = if now > last {
            (now, self.chance.random_range(0..0x800))
        } else if counter < 0xfff {
            (last, counter + 1)
        } else {
            (last + 1, 0)
        };
        let (millis, counter) = self.last_id;
        let mut random: [u8; 10] = self.chance.random();
        let [high, low] = counter.to_be_bytes();
        random[0] = high;
        random[1] = low;
        Builder::from_unix_timestamp_millis(millis, &random).into_uuid()
    }
}

#[expect(clippy::disallowed_methods, reason = "the one place that asks the system")]
fn system_time() -> DateTime<Utc> {
    Utc::now()
}

/// What PostgreSQL keeps: a time that was stored reads back the same.
fn whole_micros(time: DateTime<Utc>) -> DateTime<Utc> {
    time.with_nanosecond(time.nanosecond() / 1_000 * 1_000).unwrap_or(time)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_grow_within_a_millisecond_and_when_time_steps_back() {
        let clock = Clock::manual(DateTime::UNIX_EPOCH + TimeDelta::days(20_000), 7);
        let mut last = clock.id();
        for round in 0..10_000 {
            if round == 5_000 {
                clock.advance(TimeDelta::hours(-1));
            }
            let next = clock.id();
            assert!(next > last, "{next} after {last}");
            assert_eq!(next.get_version_num(), 7);
            last = next;
        }
    }

    #[test]
    fn times_are_whole_microseconds() {
        assert_eq!(Clock::system().now().timestamp_subsec_nanos() % 1_000, 0);
    }

    #[test]
    fn chance_is_repeated_by_its_seed() {
        let draw = |seed| Clock::manual(DateTime::UNIX_EPOCH, seed).chance().to_bits();
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1), draw(2));
    }
}
