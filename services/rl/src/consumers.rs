//! Every event that rl hears.

mod feedback_received;
mod lead_created;
mod opportunity_lost;
mod opportunity_won;
mod unified_received;

use bhiv_events::logistics::OrderCreated;
use bhiv_events::{Contract as _, Producer};
use bhiv_outbox::{Bindings, Order};

/// Event -> what rl does about it.
pub fn bindings() -> Bindings {
    Bindings::new(Producer::Rl)
        .on("rl.score_lead", Order::None, lead_created::ScoreTheLead)
        .on("rl.score_event", Order::None, unified_received::ScoreTheEvent)
        .on("rl.reward_won_lead", Order::None, opportunity_won::RewardTheLead)
        .on("rl.reward_lost_lead", Order::None, opportunity_lost::RewardTheLead)
        .on("rl.reward_order", Order::None, feedback_received::RewardTheOrder)
        .remembering("rl.stories", [(Producer::Logistics, OrderCreated::KIND.routing_key)])
}
