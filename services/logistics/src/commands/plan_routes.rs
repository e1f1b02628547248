use bhiv_outbox::{Command, Fault, Refusal, Tx};
use chrono::NaiveDate;

use super::note_plan::note_plan;
use crate::domain::ids::CourierId;
use crate::domain::plan::{MOST, NewPlan, PlanStatus};
use crate::store::route_plan::{self, RoutePlan};
use crate::store::{courier, delivery};

/// Routes for a day are to be looked for.
#[derive(Debug)]
pub struct PlanRoutes(pub NewPlan);

/// Why they are not.
#[derive(Debug, thiserror::Error)]
pub enum PlanRoutesError {
    #[error("today is {today}")]
    DateInThePast {
        /// The first day that can be planned.
        today: NaiveDate,
    },
    #[error("there is no active courier {id}")]
    Unknown {
        /// Where the request names them.
        at: usize,
        /// Whom.
        id: CourierId,
    },
    #[error("there are no active couriers")]
    NoCouriers,
    #[error("there are more than {MOST} deliveries")]
    TooMany,
}

impl Refusal for PlanRoutesError {}

impl Command for PlanRoutes {
    type Output = RoutePlan;
    type Refusal = PlanRoutesError;

    async fn run(&self, tx: &mut Tx) -> Result<RoutePlan, Fault<PlanRoutesError>> {
        let mut ask = self.0.clone();
        let today = tx.now().date_naive();
        if ask.day < today {
            return Err(PlanRoutesError::DateInThePast { today }.into());
        }
        if let Some(ids) = &mut ask.courier_ids {
            let found = courier::active(tx.conn(), Some(ids)).await?;
            let is_known = |id: &CourierId| found.iter().any(|courier| courier.id == *id);
            if let Some((at, id)) = ids.iter().enumerate().find(|(_, id)| !is_known(id)) {
                return Err(PlanRoutesError::Unknown { at, id: *id }.into());
            }
            ids.sort_unstable();
            ids.dedup();
        } else if courier::active(tx.conn(), None).await?.is_empty() {
            return Err(PlanRoutesError::NoCouriers.into());
        }
        let limit = i64::try_from(MOST).unwrap_or(i64::MAX).saturating_add(1);
        if delivery::to_plan(tx.conn(), ask.day, limit).await?.len() > MOST {
            return Err(PlanRoutesError::TooMany.into());
        }
        let plan = RoutePlan {
            id: tx.id().into(),
            version: 1,
            correlation_id: tx.correlation(),
            status: PlanStatus::Queued,
            progress: 0,
            ask,
            result: None,
            fault: None,
            claimed_until: None,
            attempts: 0,
            created_at: tx.now(),
            updated_at: tx.now(),
        };
        route_plan::insert(tx.conn(), &plan).await?;
        note_plan(tx, "route_plan.create", None, &plan);
        Ok(plan)
    }
}
