use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use bhiv_telemetry::metrics::{Counter, Gauge, KeyValue, counter, gauge};

/// The streams that are open here. Cloning it shares it.
#[derive(Clone)]
pub struct Streams(Arc<Inner>);

struct Inner {
    most: usize,
    most_per_user: usize,
    open: Mutex<Open>,
    shown: Gauge<f64>,
    ended: Counter<u64>,
}

#[derive(Default)]
struct Open {
    by_user: HashMap<String, usize>,
    by_transport: HashMap<&'static str, usize>,
}

/// Why there is no place for another stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Full {
    /// The user has as many as they may.
    OfUser,
    /// This replica has.
    OfReplica,
}

/// The place of one open stream; free again when it is dropped.
pub struct Place {
    streams: Streams,
    user: String,
    transport: &'static str,
    /// What is counted as the end of the stream.
    ended: &'static str,
}

impl Streams {
    /// At most so many in all, and of one user.
    pub fn new(most: usize, most_per_user: usize) -> Self {
        let shown = gauge("gateway_streams", "Streams of events that are open, by transport.");
        let ended = counter("gateway_streams_ended", "Streams of events that ended, by transport and why.");
        Self(Arc::new(Inner { most, most_per_user, open: Mutex::default(), shown, ended }))
    }

    /// Takes a place for a stream of `user`.
    ///
    /// # Errors
    /// When there is none.
    pub fn open(&self, user: &str, transport: &'static str) -> Result<Place, Full> {
        let mut open = self.0.open.lock().unwrap_or_else(PoisonError::into_inner);
        if open.by_transport.values().sum::<usize>() >= self.0.most {
            return Err(Full::OfReplica);
        }
        let of_user = open.by_user.entry(user.to_owned()).or_default();
        if *of_user >= self.0.most_per_user {
            return Err(Full::OfUser);
        }
        *of_user += 1;
        *open.by_transport.entry(transport).or_default() += 1;
        self.show(&open, transport);
        // Whoever goes without a word has gone themselves.
        Ok(Place { streams: self.clone(), user: user.to_owned(), transport, ended: "left" })
    }

    #[expect(clippy::cast_precision_loss, reason = "a gauge is a float")]
    fn show(&self, open: &Open, transport: &'static str) {
        let count = open.by_transport.get(transport).copied().unwrap_or_default();
        self.0.shown.record(count as f64, &[KeyValue::new("transport", transport)]);
    }
}

impl Place {
    /// Notes why the stream ends.
    pub fn ends(&mut self, why: &'static str) {
        self.ended = why;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let Inner { open, ended, .. } = &*self.streams.0;
        let mut open = open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(of_user) = open.by_user.get_mut(&self.user) {
            *of_user -= 1;
            if *of_user == 0 {
                open.by_user.remove(&self.user);
            }
        }
        if let Some(of_transport) = open.by_transport.get_mut(self.transport) {
            *of_transport -= 1;
        }
        self.streams.show(&open, self.transport);
        let labels = [KeyValue::new("transport", self.transport), KeyValue::new("reason", self.ended)];
        ended.add(1, &labels);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_taken_and_given_back() {
        let streams = Streams::new(3, 2);
        let first = streams.open("ravi", "sse").ok();
        let _second = streams.open("ravi", "ws").ok();
        assert_eq!(streams.open("ravi", "sse").err(), Some(Full::OfUser));
        let _third = streams.open("asha", "sse").ok();
        assert_eq!(streams.open("mina", "sse").err(), Some(Full::OfReplica));
        drop(first);
        assert!(streams.open("ravi", "sse").is_ok());
        assert!(streams.0.open.lock().unwrap().by_user.len() == 2, "who has none is forgotten");
    }
}
