//! Every route of crm.

mod accounts;
mod activities;
mod leads;
mod opportunities;

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
        .post("/crm/opportunities", "Open an opportunity on a lead", opportunities::create)
        .get("/crm/opportunities", "List opportunities, the newest first", opportunities::list)
        .get("/crm/opportunities/{id}", "Read an opportunity", opportunities::read)
        .patch("/crm/opportunities/{id}", "Change an opportunity", opportunities::patch)
        .put("/crm/opportunities/{id}/stage", "Move an opportunity along the pipeline", opportunities::move_)
        .post("/crm/accounts", "Open an account", accounts::create)
        .get("/crm/accounts", "List accounts, the newest first", accounts::list)
        .get("/crm/accounts/{id}", "Read an account", accounts::read)
        .patch("/crm/accounts/{id}", "Change an account", accounts::patch)
        .get("/crm/activities", "List what happened to a record, the newest first", activities::list)
        .states::<LeadStatus>()
        .states::<Stage>()
}
