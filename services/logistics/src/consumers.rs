//! Every event that logistics hears.

mod decision_made;
mod erasure_requested;

use bhiv_events::crm::OpportunityCreated;
use bhiv_events::{Contract as _, Producer};
use bhiv_outbox::{Bindings, Order};

/// Event -> what logistics does about it.
pub fn bindings() -> Bindings {
    Bindings::new(Producer::Logistics)
        .on("logistics.decide_order", Order::None, decision_made::DecideTheOrder)
        .on("logistics.erase_person", Order::None, erasure_requested::ForgetThem)
        .remembering("logistics.stories", [(Producer::Crm, OpportunityCreated::KIND.routing_key)])
}
