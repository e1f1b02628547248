//! Every route of rl.

mod analytics;
mod answer;
mod decisions;
mod policies;

use bhiv_service::Service as _;
use bhiv_web::Api;

use crate::Rl;

/// Method, path, what it does, handler.
pub fn routes() -> Api {
    Api::new(Rl::INFO)
        .post("/rl/decisions", "Decide among candidates", decisions::create)
        .get("/rl/decisions", "List decisions, the newest first", decisions::list)
        .get("/rl/decisions/{id}", "Read a decision", decisions::read)
        .post("/rl/decisions/{id}/outcome", "Record how a decision turned out", decisions::record_outcome)
        .get("/rl/policies", "List what decides, by kind of decision", policies::list)
        .get("/rl/analytics", "Count decisions and what came of them", analytics::read)
}
