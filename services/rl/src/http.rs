//! Every route of rl.

mod analytics;
mod answer;
mod curve;
mod decisions;
mod evaluation;
mod policies;
mod verdicts;

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
        .post("/rl/policies", "Have a new kind of decision be made", policies::create)
        .get("/rl/policies/{kind}", "Read what decides a kind of decision", policies::read)
        .patch("/rl/policies/{kind}", "Change how a kind of decision is made", policies::patch)
        .post("/rl/policies/{kind}/promote", "Have the policy decide, as it is now", policies::promote)
        .post(
            "/rl/policies/{kind}/rollback",
            "Have the baseline or an older version decide",
            policies::roll_back,
        )
        .get("/rl/policies/{kind}/curve", "Read how a policy learned", curve::read)
        .get("/rl/policies/{kind}/drift", "Compare what came lately with what came before", evaluation::drift)
        .get("/rl/evaluation", "Estimate what other policies would have earned", evaluation::read)
        .get("/rl/analytics", "Count decisions and what came of them", analytics::read)
        .get("/rl/verdicts", "List violations that forbid actions, the newest first", verdicts::list)
        .post("/rl/verdicts/{check_id}/lift", "Have a violation forbid nothing any more", verdicts::lift)
}
