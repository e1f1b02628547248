//! Every route of compliance.

mod checks;
mod consents;
mod duties;
mod erasures;
mod holds;
mod keys;
mod notices;
mod packs;
mod policies;
mod purposes;
mod receipts;
mod reports;

use bhiv_service::Service as _;
use bhiv_web::Api;

use crate::Compliance;
use crate::domain::duty::DutyStatus;
use crate::domain::erasure::ErasureStatus;

/// Method, path, what it does, handler.
pub fn routes() -> Api {
    Api::new(Compliance::INFO)
        .post("/consent/grant", "Record that a person agrees to a purpose", consents::grant)
        .post("/consent/revoke", "Record that a person withdraws or refuses consent", consents::revoke)
        .get("/consent/{subject}", "Read where a person stands on each purpose", consents::read)
        .post("/compliance/purposes", "Register what data about persons may be used for", purposes::create)
        .get("/compliance/purposes", "List purposes", purposes::list)
        .get("/compliance/purposes/{id}", "Read a purpose", purposes::read)
        .patch("/compliance/purposes/{id}", "Change a purpose: a new version", purposes::patch)
        .get("/compliance/purposes/{id}/versions", "List the versions of a purpose", purposes::versions)
        .post("/compliance/notices", "Write what persons are shown before they agree", notices::create)
        .get("/compliance/notices", "List notices, the newest first", notices::list)
        .get("/compliance/notices/{id}", "Read a notice", notices::read)
        .get("/compliance/receipts/{id}", "Read a record of consent, signed", receipts::read)
        .get("/compliance/checks", "List judgements of events, the newest first", checks::list)
        .get("/compliance/checks/{id}", "Read the judgement of an event", checks::read)
        .get("/compliance/violations", "List events that broke a rule, the newest first", checks::violations)
        .get("/compliance/policies", "List the rules that events are judged by", policies::list)
        .post("/compliance/policies", "Write a policy", policies::create)
        .get("/compliance/policies/{id}", "Read a policy", policies::read)
        .patch("/compliance/policies/{id}", "Change a policy, enable or disable it", policies::patch)
        .get("/compliance/policies/{id}/versions", "List the versions of a policy", policies::versions)
        .post(
            "/compliance/policies/{id}/backtest",
            "Try a policy on events that were judged",
            policies::backtest,
        )
        .get("/compliance/audit-report", "Count what happened in a period", reports::audit)
        .post("/compliance/erasure", "Have a person forgotten by every module", erasures::request)
        .get("/compliance/erasure", "List erasures, the newest first", erasures::list)
        .get("/compliance/erasure/{id}", "Read how far each module is with an erasure", erasures::read)
        .post("/compliance/erasure/{id}/cancel", "Call an erasure off before it begins", erasures::cancel)
        .get("/compliance/erasure/{id}/certificate", "Read what was erased, signed", erasures::certificate)
        .post("/compliance/holds", "Keep a person from being erased", holds::place)
        .get("/compliance/holds", "List legal holds, the newest first", holds::list)
        .get("/compliance/holds/{id}", "Read a legal hold", holds::read)
        .post("/compliance/holds/{id}/release", "Let a person be erased again", holds::release)
        .get("/compliance/keys", "Read the public keys that signed documents are checked with", keys::read)
        .post("/compliance/requests", "Record what a person asks for", duties::request)
        .get("/compliance/requests", "List what persons asked for, the newest first", duties::requests)
        .get("/compliance/requests/{id}", "Read a person's request", duties::read_request)
        .patch("/compliance/requests/{id}", "Do something about a request", duties::work_on_request)
        .post("/compliance/breaches", "Record a breach that is to be reported", duties::report)
        .get("/compliance/breaches", "List breaches, the newest first", duties::breaches)
        .get("/compliance/breaches/{id}", "Read a breach", duties::read_breach)
        .patch("/compliance/breaches/{id}", "Do something about a breach", duties::work_on_breach)
        .post("/compliance/packs", "Put the evidence of a period together", packs::make)
        .get("/compliance/packs", "List evidence packs, the newest first", packs::list)
        .get("/compliance/packs/{id}", "Read what is in an evidence pack", packs::read)
        .get("/compliance/packs/{id}/zip", "Download an evidence pack, signed", packs::download)
        .states::<ErasureStatus>()
        .states::<DutyStatus>()
}
