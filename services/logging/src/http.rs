//! Every route of logging.

mod audit;
mod context;
mod facets;
mod live;
mod logs;
mod page;
mod query;
mod retention;
mod searches;
mod stats;
mod story;
mod tree;
mod verify;

pub use logs::Opens;
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
        .get("/logs/export", "Export entries as NDJSON, the newest first", logs::export)
        .get("/logs/facets", "Count the values of the newest entries", facets::read)
        .get("/logs/histogram", "Count entries by time", facets::histogram)
        .get("/logs/stream", "Follow entries as they come in (SSE)", live::follow)
        .get("/logs/searches", "List saved searches", searches::list)
        .post("/logs/searches", "Save a search", searches::save)
        .get("/logs/searches/{id}", "Read a saved search", searches::read)
        .put("/logs/searches/{id}", "Change a saved search of one's own", searches::change)
        .delete("/logs/searches/{id}", "Take away a saved search of one's own", searches::delete)
        .get("/logs/{id}/context", "Read an entry with what was before and after it", context::read)
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
