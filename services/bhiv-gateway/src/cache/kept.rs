//! An answer as it is kept.

use std::sync::Arc;

use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::web::Bytes;
use quick_cache::Weighter;
use quick_cache::sync::Cache;
use uuid::Uuid;

/// What kept answers take of this process, in bytes.
const ROOM: u64 = 64 << 20;

/// What an answer takes beside its body, about.
const HEAD: usize = 1 << 10;

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// No two answers have the same, even of one request.
    pub id: Uuid,
    /// When it was given, in seconds since 1970.
    pub at: u64,
    /// Its headers.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// Its body.
    pub body: Bytes,
}

impl Kept {
    /// Appends it to `bytes`: its id in 16 of them, when in 8; then each header's name and value and the body, each after
    /// its length in 4.
    pub fn write(&self, bytes: &mut Vec<u8>) {
        bytes.reserve(HEAD + self.body.len());
        bytes.extend(self.id.as_bytes());
        bytes.extend(self.at.to_be_bytes());
        let mut push = |part: &[u8]| {
            bytes.extend(u32::try_from(part.len()).unwrap_or(u32::MAX).to_be_bytes());
            bytes.extend(part);
        };
        for (name, value) in &self.headers {
            push(name.as_str().as_bytes());
            push(value.as_bytes());
        }
        // A header's name is never empty.
        push(&[]);
        push(&self.body);
    }

    /// Reads what [`Kept::write`] wrote; nothing if it is something else.
    pub fn read(mut bytes: Bytes) -> Option<Self> {
        let id = Uuid::from_bytes(*take(&mut bytes, 16)?.first_chunk()?);
        let at = u64::from_be_bytes(*take(&mut bytes, 8)?.first_chunk()?);
        let mut next = || {
            let length = u32::from_be_bytes(*take(&mut bytes, 4)?.first_chunk()?);
            take(&mut bytes, length.try_into().ok()?)
        };
        let mut headers = Vec::new();
        loop {
            let name = next()?;
            if name.is_empty() {
                break;
            }
            let value = HeaderValue::from_maybe_shared(next()?).ok()?;
            headers.push((HeaderName::from_bytes(&name).ok()?, value));
        }
        Some(Self { id, at, headers, body: next()? })
    }
}

fn take(bytes: &mut Bytes, length: usize) -> Option<Bytes> {
    (length <= bytes.len()).then(|| bytes.split_to(length))
}

/// Answers that this process has at hand. Whether one may still be given only Redis knows. Cloning it shares it.
#[derive(Clone)]
pub struct Near(Arc<Cache<Uuid, Arc<Kept>, ByLength>>);

#[derive(Clone)]
struct ByLength;

impl Weighter<Uuid, Arc<Kept>> for ByLength {
    fn weight(&self, _: &Uuid, kept: &Arc<Kept>) -> u64 {
        (HEAD + kept.body.len()).try_into().unwrap_or(u64::MAX)
    }
}

impl Near {
    /// None, at first.
    pub fn new() -> Self {
        Self(Arc::new(Cache::with_weighter(10_000, ROOM, ByLength)))
    }

    /// The one that was put there last.
    pub fn get(&self, name: &Uuid) -> Option<Arc<Kept>> {
        self.0.get(name)
    }

    /// Puts one there.
    pub fn put(&self, name: Uuid, kept: Kept) -> Arc<Kept> {
        let kept = Arc::new(kept);
        self.0.insert(name, Arc::clone(&kept));
        kept
    }

    /// Forgets those from before `at`, which nobody is given any more: what they say of people does not stay.
    pub fn forget_before(&self, at: u64) {
        self.0.retain(|_, kept| kept.at >= at);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    static LARGE: [u8; 100_000] = [0; 100_000];

    fn kept(at: u64, body: &'static [u8]) -> Kept {
        let headers = [("etag", "\"1\""), ("x-empty", ""), ("x-module", "a"), ("x-module", "b")];
        let headers =
            headers.map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
        Kept { id: Uuid::from_u128(9), at, headers: headers.into(), body: Bytes::from_static(body) }
    }

    #[test]
    fn what_was_kept_is_read_as_it_was() {
        let kept = kept(7, b"{}");
        let mut bytes = Vec::new();
        kept.write(&mut bytes);
        let bytes = Bytes::from(bytes);
        assert_eq!(Kept::read(bytes.clone()), Some(kept));
        for end in 0..bytes.len() {
            assert_eq!(Kept::read(bytes.slice(..end)), None, "{end}");
        }
    }

    #[test]
    fn the_process_has_the_last_ones_until_they_are_old_and_no_more_than_there_is_room_for() {
        let near = Near::new();
        let [one, two] = [1, 2].map(Uuid::from_u128);
        near.put(one, kept(7, b"old"));
        near.put(one, kept(8, b"new"));
        near.put(two, kept(9, b""));
        near.forget_before(8);
        assert_eq!(near.get(&one).unwrap().body, "new");
        near.forget_before(9);
        assert!(near.get(&one).is_none() && near.get(&two).is_some());

        for name in 0..2_000 {
            near.put(Uuid::from_u128(name), kept(9, &LARGE));
        }
        assert!(near.0.weight() <= ROOM && near.0.len() > 100, "{} of {}", near.0.weight(), near.0.len());
    }
}
