//! Every route of crm.

mod accounts;
mod activities;
mod contacts;
mod duplicates;
mod export;
mod imports;
mod leads;
mod opportunities;
mod pipeline;

use bhiv_service::Service as _;
use bhiv_web::Api;

use crate::Crm;
use crate::domain::lead::LeadStatus;
use crate::domain::opportunity::Stage;

/// Method, path, what it does, handler.
pub fn routes() -> Api {
    Api::new(Crm::INFO)
        .post("/crm/leads", "Create a lead", leads::create)
        .get("/crm/leads", "List leads", leads::list)
        .get("/crm/leads/{id}", "Read a lead", leads::read)
        .patch("/crm/leads/{id}", "Change a lead", leads::patch)
        .get("/crm/leads/{id}/history", "List the changes of a lead, the newest first", leads::history)
        .post("/crm/leads/bulk", "Change many leads, each by itself", leads::bulk)
        .post(
            "/crm/leads/{id}/convert",
            "Convert a lead into account, contact and opportunity",
            leads::convert,
        )
        .get("/crm/leads/{id}/duplicates", "List leads that look like the same person", duplicates::of)
        .post(
            "/crm/leads/{id}/dismiss",
            "Say that a lead which looks alike is somebody else",
            duplicates::dismiss,
        )
        .post("/crm/leads/{id}/merge", "Merge another lead into this one", duplicates::merge)
        .post(
            "/crm/leads/{id}/unmerge",
            "Take back that this lead was merged into another one",
            duplicates::unmerge,
        )
        .get("/crm/duplicates", "List leads that look like one person, the surest first", duplicates::list)
        .post("/crm/import", "Import leads from a file", imports::create)
        .get("/crm/imports", "List imports, the newest first", imports::list)
        .get("/crm/imports/{id}", "Read how far an import is", imports::show)
        .get("/crm/imports/{id}/rows", "List what became of each row, by line", imports::rows)
        .get("/crm/export", "Export records as a file", export::read)
        .post("/crm/opportunities", "Open an opportunity on a lead", opportunities::create)
        .get("/crm/opportunities", "List opportunities", opportunities::list)
        .get("/crm/opportunities/{id}", "Read an opportunity", opportunities::read)
        .patch("/crm/opportunities/{id}", "Change an opportunity", opportunities::patch)
        .get(
            "/crm/opportunities/{id}/history",
            "List the changes of an opportunity, the newest first",
            opportunities::history,
        )
        .post("/crm/opportunities/bulk", "Change many opportunities, each by itself", opportunities::bulk)
        .put("/crm/opportunities/{id}/stage", "Move an opportunity along the pipeline", opportunities::move_)
        .get("/crm/pipeline", "Count and value per stage, win rate, time in stage", pipeline::read)
        .post("/crm/accounts", "Open an account", accounts::create)
        .get("/crm/accounts", "List accounts", accounts::list)
        .get("/crm/accounts/{id}", "Read an account", accounts::read)
        .patch("/crm/accounts/{id}", "Change an account", accounts::patch)
        .get("/crm/accounts/{id}/tree", "Read what an account belongs to, and what to it", accounts::tree)
        .get(
            "/crm/accounts/{id}/history",
            "List the changes of an account, the newest first",
            accounts::history,
        )
        .post("/crm/accounts/bulk", "Change many accounts, each by itself", accounts::bulk)
        .post("/crm/contacts", "Create a contact", contacts::create)
        .get("/crm/contacts", "List contacts", contacts::list)
        .get("/crm/contacts/{id}", "Read a contact", contacts::read)
        .patch("/crm/contacts/{id}", "Change a contact", contacts::patch)
        .get(
            "/crm/contacts/{id}/history",
            "List the changes of a contact, the newest first",
            contacts::history,
        )
        .post("/crm/contacts/bulk", "Change many contacts, each by itself", contacts::bulk)
        .post("/crm/activities", "Note something about a record", activities::create)
        .get("/crm/activities", "List what happened to records", activities::list)
        .get("/crm/activities/{id}", "Read an activity", activities::read)
        .patch("/crm/activities/{id}", "Change a note, or say that it is done", activities::patch)
        .delete("/crm/activities/{id}", "Take a note back", activities::delete)
        .get(
            "/crm/activities/{id}/history",
            "List the changes of a note, the newest first",
            activities::history,
        )
        .states::<LeadStatus>()
        .states::<Stage>()
}
