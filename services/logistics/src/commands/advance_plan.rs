//! What whoever computes a plan does with it: takes it, stays its owner, brings what was found.

use std::convert::Infallible;

use bhiv_outbox::{Command, Fault, Tx};
use bhiv_types::State as _;
use chrono::TimeDelta;
use rust_decimal::prelude::ToPrimitive as _;
use serde::{Deserialize, Serialize};

use super::note_plan::note_plan;
use crate::domain::ids::RoutePlanId;
use crate::domain::plan::{MOST, Parcel, PlanStatus, Rider, Routes, Task};
use crate::store::courier::{self, Courier};
use crate::store::delivery::{self, Delivery};
use crate::store::route_plan::{self, RoutePlan};

/// How long a silent owner of a plan is believed to be alive.
const LEASE: TimeDelta = TimeDelta::seconds(30);
/// How often a plan is begun whose owners die.
const ATTEMPTS: i32 = 3;

/// Takes the oldest plan that nobody computes.
#[derive(Debug)]
pub struct ClaimPlan;

/// A plan that was taken.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Claimed {
    /// Which.
    pub id: RoutePlanId,
    /// How often it was begun: who began it before is not its owner any more.
    pub attempt: i32,
    /// What is to be done.
    pub task: Task,
}

impl Command for ClaimPlan {
    type Output = Option<Claimed>;
    type Refusal = Infallible;

    async fn run(&self, tx: &mut Tx) -> Result<Option<Claimed>, Fault<Infallible>> {
        let now = tx.now();
        let Some(before) = route_plan::lock_next(tx.conn(), now).await? else { return Ok(None) };
        if before.attempts >= ATTEMPTS {
            let fault = Some(format!("whoever computed it stopped, {ATTEMPTS} times"));
            move_to(tx, &before, RoutePlan { status: PlanStatus::Failed, fault, ..before.clone() }).await?;
            return Ok(None);
        }
        let limit = i64::try_from(MOST).unwrap_or(i64::MAX);
        let deliveries = delivery::to_plan(tx.conn(), before.ask.day, limit).await?;
        let couriers = courier::active(tx.conn(), before.ask.courier_ids.as_deref()).await?;
        let task = Task {
            ask: before.ask.clone(),
            parcels: deliveries.into_iter().map(parcel).collect(),
            riders: couriers.into_iter().map(rider).collect(),
        };
        let attempt = before.attempts + 1;
        let status = PlanStatus::Running;
        let after = RoutePlan {
            status,
            progress: 0,
            attempts: attempt,
            claimed_until: Some(now + LEASE),
            ..before.clone()
        };
        move_to(tx, &before, after).await?;
        Ok(Some(Claimed { id: before.id, attempt, task }))
    }
}

fn parcel(delivery: Delivery) -> Parcel {
    let Delivery { id, version, location, window, load, .. } = delivery;
    Parcel { id, version, location, window, load }
}

fn rider(courier: Courier) -> Rider {
    Rider {
        id: courier.id,
        capacity: courier.capacity,
        shift: courier.shift,
        per_km: courier.cost_per_km.to_f64().unwrap_or_default(),
        per_hour: courier.cost_per_hour.to_f64().unwrap_or_default(),
    }
}

async fn move_to(tx: &mut Tx, before: &RoutePlan, after: RoutePlan) -> Result<(), Fault<Infallible>> {
    let after = RoutePlan { version: before.version + 1, updated_at: tx.now(), ..after };
    route_plan::update(tx.conn(), &after).await?;
    tx.follow(after.correlation_id);
    note_plan(tx, "route_plan.move", Some(before), &after);
    Ok(())
}

/// Its owner is alive. Answers whether the plan is still wanted from them.
#[derive(Debug)]
pub struct KeepPlan {
    /// Which.
    pub id: RoutePlanId,
    /// As which of its owners.
    pub attempt: i32,
    /// How far it is, in percent.
    pub progress: i32,
}

impl Command for KeepPlan {
    type Output = bool;
    type Refusal = Infallible;

    async fn run(&self, tx: &mut Tx) -> Result<bool, Fault<Infallible>> {
        let until = tx.now() + LEASE;
        Ok(route_plan::keep(tx.conn(), self.id, self.attempt, self.progress, until).await?)
    }
}

/// What was found, or why nothing could be.
#[derive(Debug)]
pub struct EndPlan {
    /// Which.
    pub id: RoutePlanId,
    /// As which of its owners.
    pub attempt: i32,
    /// The routes.
    pub result: Result<Routes, String>,
}

impl Command for EndPlan {
    type Output = ();
    type Refusal = Infallible;

    async fn run(&self, tx: &mut Tx) -> Result<(), Fault<Infallible>> {
        let Some(before) = route_plan::lock(tx.conn(), self.id).await? else { return Ok(()) };
        if before.attempts != self.attempt {
            return Ok(());
        }
        let to = if self.result.is_ok() { PlanStatus::Done } else { PlanStatus::Failed };
        // It was cancelled meanwhile.
        let Ok(status) = before.status.become_(to) else { return Ok(()) };
        let after = RoutePlan {
            status,
            progress: 100,
            result: self.result.clone().ok(),
            fault: self.result.clone().err(),
            claimed_until: None,
            ..before.clone()
        };
        move_to(tx, &before, after).await
    }
}
