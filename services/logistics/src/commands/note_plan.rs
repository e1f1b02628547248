use std::fmt::Write as _;

use bhiv_outbox::Tx;
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use crate::domain::ids::CourierId;
use crate::domain::plan::{NewPlan, PlanStatus, Routes};
use crate::store::route_plan::RoutePlan;

/// A plan as its audit rows have it: of its routes, which may be as long as 150 KB, how many there are, and the hash by
/// which they are recognised.
#[derive(Serialize)]
struct Audited<'a> {
    version: i64,
    status: PlanStatus,
    progress: i32,
    ask: &'a NewPlan,
    result: Option<Found>,
    fault: Option<&'a str>,
    attempts: i32,
}

#[derive(Serialize)]
struct Found {
    couriers: Vec<CourierId>,
    stops: usize,
    unassigned: usize,
    distance_km: f64,
    cost: f64,
    /// SHA-256 of `result` as the API shows it: JSON without blanks, in hexadecimal.
    sha256: String,
}

impl<'a> From<&'a RoutePlan> for Audited<'a> {
    fn from(plan: &'a RoutePlan) -> Self {
        Self {
            version: plan.version,
            status: plan.status,
            progress: plan.progress,
            ask: &plan.ask,
            result: plan.result.as_ref().map(Found::from),
            fault: plan.fault.as_deref(),
            attempts: plan.attempts,
        }
    }
}

impl From<&Routes> for Found {
    fn from(routes: &Routes) -> Self {
        let hash = Sha256::digest(serde_json::to_vec(routes).unwrap_or_default());
        Self {
            couriers: routes.routes.iter().map(|route| route.courier_id).collect(),
            stops: routes.routes.iter().map(|route| route.stops.len()).sum(),
            unassigned: routes.unassigned.len(),
            distance_km: routes.distance_km,
            cost: routes.cost,
            sha256: hash.iter().fold(String::new(), |mut text, byte| {
                // A string takes everything.
                let _ = write!(text, "{byte:02x}");
                text
            }),
        }
    }
}

/// Notes a change of a plan: its history has all of it, the audit row what it came to.
pub fn note_plan(tx: &mut Tx, action: &str, before: Option<&RoutePlan>, after: &RoutePlan) {
    let entity = format!("route_plan/{}", after.id);
    let (was, is) = (before.map(Audited::from), Audited::from(after));
    tx.audit(action, entity.clone(), was.as_ref().map(|it| it as _), Some(&is));
    tx.keep(action, entity, after.version, before, Some(after));
}
