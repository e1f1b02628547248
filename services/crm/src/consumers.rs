//! Every event that crm hears.

mod delivery_completed;
mod erasure_requested;
mod lead_scored;
mod order_created;
mod order_news;
mod task_completed;

use bhiv_events::Producer;
use bhiv_events::logistics::{DeliveryDelayed, DeliveryFailed, DeliveryScheduled, OrderStatusChanged};
use bhiv_events::task::FeedbackReceived;
use bhiv_outbox::{Bindings, Order};

/// Event -> what crm does about it.
pub fn bindings() -> Bindings {
    Bindings::new(Producer::Crm)
        .on("crm.score_lead", Order::Latest, lead_scored::ScoreTheLead)
        .on("crm.link_order", Order::None, order_created::LinkTheOrder)
        .on("crm.win_opportunity", Order::None, delivery_completed::WinTheOpportunity)
        .on("crm.note_task", Order::None, task_completed::NoteTheTask)
        .on::<OrderStatusChanged>("crm.note_order", Order::None, order_news::NoteTheNews)
        .on::<DeliveryScheduled>("crm.note_delivery", Order::None, order_news::NoteTheNews)
        .on::<DeliveryDelayed>("crm.note_delay", Order::None, order_news::NoteTheNews)
        .on::<DeliveryFailed>("crm.note_failure", Order::None, order_news::NoteTheNews)
        .on::<FeedbackReceived>("crm.note_feedback", Order::None, order_news::NoteTheNews)
        .on("crm.erase_person", Order::None, erasure_requested::ForgetThem)
}
