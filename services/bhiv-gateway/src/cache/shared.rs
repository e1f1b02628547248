//! What stands in Redis: the generation of each module, and answers.
//!
//! An answer is kept as the generation it is of, in 16 bytes, and what [`Kept`] writes: first its id.

use std::sync::{Arc, LazyLock};

use actix_web::http::header::ACCEPT;
use actix_web::{HttpMessage as _, HttpRequest};
use aws_lc_rs::digest::{SHA256, digest};
use bhiv_auth::Caller;
use deadpool_redis::redis::{self, Script};
use uuid::Uuid;

use super::kept::Kept;
use super::{Cache, answers};
use crate::changes::Unsettled;
use crate::domain::cache::key;

/// Reads generation and answer in one go, without the answer if this process has that very one. A module without a
/// generation, which Redis may have forgotten, gets one that no answer has.
static FIND: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "local generation = redis.call('GET', KEYS[1])
         if not generation then
           generation = ARGV[1]
           redis.call('SET', KEYS[1], generation)
         end
         local head = redis.call('GETRANGE', KEYS[2], 0, 31)
         if head == '' then
           return {generation, 0, ''}
         elseif string.sub(head, 1, 16) ~= generation then
           return {generation, 1, ''}
         elseif string.sub(head, 17) == ARGV[2] then
           return {generation, 2, ''}
         end
         return {generation, 3, redis.call('GETRANGE', KEYS[2], 16, -1)}",
    )
});

/// What there is for a request.
pub struct Found {
    /// Which answer it is.
    name: Uuid,
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
    /// It is there, and cannot be read.
    Malformed,
    /// The one to give.
    Hit(Arc<Kept>),
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
        let name = short(key(request.path(), request.query_string(), &accept, caller).as_bytes());
        let near = self.near.get(&name);
        let mut finding = FIND.prepare_invoke();
        finding
            .key(self.generation(module))
            .key(self.place(name))
            .arg(self.clock.id().as_bytes())
            .arg(near.as_ref().map_or(&[][..], |near| near.id.as_bytes()));
        let found = self.redis.ask("finding an answer", async |conn| {
            finding.invoke_async::<(Vec<u8>, u8, Vec<u8>)>(conn).await
        });
        let (generation, state, bytes) = found.await?;
        let lookup = match (state, near) {
            (0, _) => Lookup::Absent,
            (1, _) => Lookup::Stale,
            (2, Some(near)) => Lookup::Hit(near),
            _ => match Kept::read(bytes.into()) {
                Some(kept) => Lookup::Hit(self.near.put(name, kept)),
                None => Lookup::Malformed,
            },
        };
        Some(Found { name, generation, lookup })
    }

    /// Keeps an answer where [`Cache::find`] looked for it.
    pub async fn keep(&self, found: Found, kept: Kept) {
        let Some(ttl) = self.ttl else { return };
        let Found { name, generation: mut value, .. } = found;
        kept.write(&mut value);
        let mut keeping = redis::cmd("SET");
        keeping.arg(self.place(name)).arg(value).arg("EX").arg(ttl.as_secs());
        let keeping = self.redis.ask("keeping an answer", async |conn| keeping.query_async::<()>(conn).await);
        if keeping.await.is_some() {
            self.near.put(name, kept);
        }
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

    fn place(&self, name: Uuid) -> String {
        self.redis.key(format_args!("answer:{}", name.simple()))
    }
}

/// 128 bits of SHA-256.
pub fn short(bytes: &[u8]) -> Uuid {
    let hash = digest(&SHA256, bytes);
    let hash = hash.as_ref().first_chunk::<16>().copied().unwrap_or_default();
    Uuid::from_bytes(hash)
}
