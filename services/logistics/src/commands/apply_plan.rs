use bhiv_outbox::{Command, Fault, Refusal, Tx};
use bhiv_types::{IllegalTransition, State as _};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::note_plan::note_plan;
use crate::domain::ids::{CourierId, DeliveryId, RoutePlanId};
use crate::domain::plan::{PlanStatus, RouteStop};
use crate::store::delivery::{self, Delivery};
use crate::store::route_plan::{self, RoutePlan};

/// The deliveries of a plan get their couriers.
#[derive(Debug)]
pub struct ApplyPlan(pub RoutePlanId);

/// What became of it.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Applied {
    /// The plan.
    pub plan: RoutePlan,
    /// Deliveries that have a courier now.
    pub assigned: Vec<DeliveryId>,
    /// Deliveries that changed since they were planned, and stay as they are.
    pub changed_since: Vec<DeliveryId>,
}

/// Why nothing changes.
#[derive(Debug, thiserror::Error)]
pub enum ApplyPlanError {
    #[error("there is no plan {0}")]
    NotFound(RoutePlanId),
    #[error(transparent)]
    Status(#[from] IllegalTransition),
}

impl Refusal for ApplyPlanError {}

impl Command for ApplyPlan {
    type Output = Applied;
    type Refusal = ApplyPlanError;

    fn is_alone(&self) -> bool {
        true
    }

    async fn run(&self, tx: &mut Tx) -> Result<Applied, Fault<ApplyPlanError>> {
        let before = route_plan::lock(tx.conn(), self.0).await?.ok_or(ApplyPlanError::NotFound(self.0))?;
        let status = before.status.become_(PlanStatus::Applied).map_err(ApplyPlanError::from)?;
        let (mut assigned, mut changed_since) = (Vec::new(), Vec::new());
        let routes = before.result.iter().flat_map(|result| &result.routes);
        let mut stops: Vec<_> =
            routes.flat_map(|route| route.stops.iter().map(|stop| (route.courier_id, stop))).collect();
        // In one order, as everybody who locks several.
        stops.sort_unstable_by_key(|(_, stop)| stop.delivery_id);
        for (courier, stop) in stops {
            let list = if assign(tx, courier, stop).await? { &mut assigned } else { &mut changed_since };
            list.push(stop.delivery_id);
        }
        let plan = RoutePlan { status, version: before.version + 1, updated_at: tx.now(), ..before.clone() };
        route_plan::update(tx.conn(), &plan).await?;
        tx.follow(plan.correlation_id);
        note_plan(tx, "route_plan.apply", Some(&before), &plan);
        Ok(Applied { plan, assigned, changed_since })
    }
}

/// Whether the delivery is still as it was planned, and has its courier now.
async fn assign(tx: &mut Tx, courier: CourierId, stop: &RouteStop) -> Result<bool, Fault<ApplyPlanError>> {
    let before = delivery::lock(tx.conn(), stop.delivery_id).await?;
    let Some(before) = before.filter(|before| before.version == stop.version) else { return Ok(false) };
    let after = Delivery {
        courier_id: Some(courier),
        eta: Some(stop.arrives),
        version: before.version + 1,
        updated_at: tx.now(),
        ..before.clone()
    };
    delivery::update(tx.conn(), &after).await?;
    tx.follow(after.correlation_id);
    let entity = format!("delivery/{}", after.id);
    tx.change("delivery.assign", entity, after.version, Some(&before), Some(&after));
    Ok(true)
}
