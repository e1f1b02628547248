//! Every event that rl hears.

mod compliance_checked;
mod consent;
mod deliveries;
mod erasure_requested;
mod feedback_received;
mod lead_created;
mod opportunities;
mod tasks;
mod unified_received;

use bhiv_events::logistics::OrderCreated;
use bhiv_events::{Contract as _, Producer};
use bhiv_outbox::{Bindings, Order};

use crate::domain::served::Served;

/// Event -> what rl does about it.
pub fn bindings(served: &Served) -> Bindings {
    Bindings::new(Producer::Rl)
        .on("rl.score_lead", Order::None, lead_created::ScoreTheLead(served.clone()))
        .on("rl.score_event", Order::None, unified_received::ScoreTheEvent(served.clone()))
        .on("rl.reward_won_lead", Order::None, opportunities::RewardTheWon)
        .on("rl.reward_lost_lead", Order::None, opportunities::RewardTheLost)
        .on("rl.reward_order", Order::None, feedback_received::RewardTheOrder)
        .on("rl.reward_delayed_delivery", Order::None, deliveries::RewardTheDelayed)
        .on("rl.reward_completed_delivery", Order::None, deliveries::RewardTheCompleted)
        .on("rl.reward_failed_delivery", Order::None, deliveries::RewardTheFailed)
        .on("rl.reward_overdue_task", Order::None, tasks::RewardTheOverdue)
        .on("rl.reward_completed_task", Order::None, tasks::RewardTheCompleted)
        .on("rl.note_violation", Order::None, compliance_checked::NoteTheViolation)
        .on("rl.note_compliance", Order::None, compliance_checked::NoteTheVerdict)
        .on("rl.note_grant", Order::None, consent::NoteTheGrant)
        .on("rl.note_withdrawal", Order::None, consent::NoteTheWithdrawal)
        .on("rl.erase", Order::None, erasure_requested::ForgetThem)
        .remembering("rl.stories", [(Producer::Logistics, OrderCreated::KIND.routing_key)])
}
