//! Every route of compliance.

mod checks;
mod consents;
mod policies;
mod reports;

use bhiv_service::Service as _;
use bhiv_web::Api;

use crate::Compliance;

/// Method, path, what it does, handler.
pub fn routes() -> Api {
    Api::new(Compliance::INFO)
        .post("/consent/grant", "Record that a person agrees to a purpose", consents::grant)
        .post("/consent/revoke", "Record that a person withdraws or refuses consent", consents::revoke)
        .get("/consent/{subject}", "Read where a person stands on each purpose", consents::read)
        .get("/compliance/checks", "List judgements of events, the newest first", checks::list)
        .get("/compliance/checks/{id}", "Read the judgement of an event", checks::read)
        .get("/compliance/violations", "List events that broke a rule, the newest first", checks::violations)
        .get("/compliance/policies", "List the rules that events are judged by", policies::list)
        .get("/compliance/audit-report", "Count what happened in a period", reports::audit)
}
