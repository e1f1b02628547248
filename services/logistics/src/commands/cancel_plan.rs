use bhiv_outbox::{Command, Fault, Refusal, Tx};
use bhiv_types::{IllegalTransition, State as _};

use super::note_plan::note_plan;
use crate::domain::ids::RoutePlanId;
use crate::domain::plan::PlanStatus;
use crate::store::route_plan::{self, RoutePlan};

/// Nobody wants a plan any more.
#[derive(Debug)]
pub struct CancelPlan(pub RoutePlanId);

/// Why it goes on.
#[derive(Debug, thiserror::Error)]
pub enum CancelPlanError {
    #[error("there is no plan {0}")]
    NotFound(RoutePlanId),
    #[error(transparent)]
    Status(#[from] IllegalTransition),
}

impl Refusal for CancelPlanError {}

impl Command for CancelPlan {
    type Output = RoutePlan;
    type Refusal = CancelPlanError;

    async fn run(&self, tx: &mut Tx) -> Result<RoutePlan, Fault<CancelPlanError>> {
        let before = route_plan::lock(tx.conn(), self.0).await?.ok_or(CancelPlanError::NotFound(self.0))?;
        let status = before.status.become_(PlanStatus::Cancelled).map_err(CancelPlanError::from)?;
        let after = RoutePlan {
            status,
            claimed_until: None,
            version: before.version + 1,
            updated_at: tx.now(),
            ..before.clone()
        };
        route_plan::update(tx.conn(), &after).await?;
        tx.continue_story(after.correlation_id);
        note_plan(tx, "route_plan.cancel", Some(&before), &after);
        Ok(after)
    }
}
