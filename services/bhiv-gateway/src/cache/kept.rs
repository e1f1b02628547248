//! What stands in Redis: the generation of each module, and answers.

use std::sync::{Arc, LazyLock};

use actix_web::http::header::ACCEPT;
use actix_web::{HttpMessage as _, HttpRequest};
use aws_lc_rs::digest::{SHA256, digest};
use bhiv_auth::Caller;
use deadpool_redis::redis::{self, Script};
use uuid::Uuid;

use super::{Cache, answers};
use crate::changes::Unsettled;
use crate::domain::cache::key;

/// Reads generation and answer in one go. A module without a generation, which Redis may have forgotten, gets one
/// that no answer has.
static FIND: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "local generation = redis.call('GET', KEYS[1])
         if not generation then
           generation = ARGV[1]
           redis.call('SET', KEYS[1], generation)
         end
         local kept = redis.call('GET', KEYS[2])
         if not kept then
           return {generation, 0, ''}
         elseif string.sub(kept, 1, 16) ~= generation then
           return {generation, 1, ''}
         end
         return {generation, 2, string.sub(kept, 17)}",
    )
});

/// What there is for a request.
pub struct Found {
    /// Where an answer is kept.
    key: String,
    /// The generation of the module, read before it is asked.
    generation: Vec<u8>,
    /// The answer.
    pub lookup: Lookup,
}

/// An answer that is kept, or why there is none.
pub enum Lookup {
    /// Nobody has asked for it lately.
    Absent,
    /// The module has changed since.
    Stale,
    /// As [`crate::domain::cache::Kept`] writes it.
    Hit(Vec<u8>),
}

/// The caller whose token was verified on the way here.
pub fn caller(request: &HttpRequest) -> Option<Arc<Caller>> {
    request.extensions().get().cloned()
}

impl Cache {
    /// What is kept for `request`; nothing when the cache is not to be used now.
    pub async fn find(
        &self,
        request: &HttpRequest,
        module: &'static str,
        caller: Option<&Caller>,
    ) -> Option<Found> {
        self.ttl?;
        // Otherwise this process knows of a change that Redis does not know of.
        if !self.changes.is_settled(module) {
            return None;
        }
        let accept = answers::joined(request.headers(), &ACCEPT);
        let key = key(request.path(), request.query_string(), &accept, caller);
        let key = self.redis.key(format_args!("answer:{}", short(key.as_bytes()).simple()));
        let mut finding = FIND.prepare_invoke();
        finding.key(self.generation(module)).key(&key).arg(self.clock.id().as_bytes());
        let found = self.redis.ask("finding an answer", async |conn| {
            finding.invoke_async::<(Vec<u8>, u8, Vec<u8>)>(conn).await
        });
        let (generation, state, kept) = found.await?;
        let lookup = match state {
            0 => Lookup::Absent,
            1 => Lookup::Stale,
            _ => Lookup::Hit(kept),
        };
        Some(Found { key, generation, lookup })
    }

    /// Keeps an answer where [`Cache::find`] looked for it.
    pub async fn keep(&self, found: Found, kept: Vec<u8>) {
        let Some(ttl) = self.ttl else { return };
        let Found { key, generation: mut value, .. } = found;
        value.extend(kept);
        let mut keeping = redis::cmd("SET");
        keeping.arg(key).arg(value).arg("EX").arg(ttl.as_secs());
        self.redis.ask("keeping an answer", async |conn| keeping.query_async::<()>(conn).await).await;
    }

    /// Gives the modules that changed new generations; answers whether that is done.
    pub async fn renew(&self, changes: &[Unsettled]) -> bool {
        if changes.is_empty() {
            return true;
        }
        let fresh = self.clock.id();
        let mut renewing = redis::cmd("MSET");
        for change in changes {
            renewing.arg(self.generation(change.module)).arg(fresh.as_bytes());
        }
        let renewed =
            self.redis.ask("renewing", async |conn| renewing.query_async::<()>(conn).await).await.is_some();
        if renewed {
            self.changes.settle(changes);
        }
        renewed
    }

    fn generation(&self, module: &str) -> String {
        self.redis.key(format_args!("generation:{module}"))
    }
}

/// 128 bits of SHA-256.
pub fn short(bytes: &[u8]) -> Uuid {
    let hash = digest(&SHA256, bytes);
    let hash = hash.as_ref().first_chunk::<16>().copied().unwrap_or_default();
    Uuid::from_bytes(hash)
}
