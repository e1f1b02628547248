//! Every route of logging.

mod audit;
mod logs;
mod page;
mod retention;
mod stats;
mod story;
mod tree;
mod verify;

pub use tree::Signs;

use bhiv_service::Service as _;
use bhiv_web::Api;

use crate::Logging;

/// Method, path, what it does, handler.
pub fn routes() -> Api {
    Api::new(Logging::INFO)
        .get("/logs", "List events and audit rows, the newest first", logs::list)
        .get("/logs/{id}", "Read an event or an audit row", logs::read)
        .get("/logs/stats", "Count events and audit rows", stats::read)
        .get("/logs/story/{correlation_id}", "Read a causal story, the oldest entry first", story::read)
        .get("/logs/retention", "Read how long entries are kept", retention::read)
        .put("/logs/retention", "Change how long a kind of entries is kept", retention::change)
        .get("/audit", "List audit rows, the newest first", audit::list)
        .get("/audit/checkpoint", "Read the last signed root of the tree over audit rows", tree::latest)
        .get("/audit/checkpoints", "List signed roots, the largest first", tree::list)
        .get("/audit/consistency", "Prove that a larger tree begins with a smaller one", tree::consistency)
        .get(
            "/audit/export",
            "Export leaves with their rows as NDJSON, to be verified elsewhere",
            verify::export,
        )
        .get("/audit/keys", "Read the public keys that checkpoints are signed with", tree::keys)
        .get(
            "/audit/verify",
            "Go over audit rows and say what was changed, removed or put in",
            verify::verify,
        )
        .get("/audit/{id}/proof", "Prove that an audit row is in the signed tree", tree::proof)
}
