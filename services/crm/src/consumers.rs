//! Every event that crm hears.

mod delivery_completed;
mod lead_scored;
mod order_created;
mod task_completed;

use bhiv_events::Producer;
use bhiv_outbox::{Bindings, Order};

/// Event -> what crm does about it.
pub fn bindings() -> Bindings {
    Bindings::new(Producer::Crm)
        .on("crm.score_lead", Order::Latest, lead_scored::ScoreTheLead)
        .on("crm.link_order", Order::None, order_created::LinkTheOrder)
        .on("crm.win_opportunity", Order::None, delivery_completed::WinTheOpportunity)
        .on("crm.note_task", Order::None, task_completed::NoteTheTask)
}
