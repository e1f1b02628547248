//! Every route of logging.

mod audit;
mod logs;
mod page;
mod stats;
mod story;

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
        .get("/audit", "List audit rows, the newest first", audit::list)
}
