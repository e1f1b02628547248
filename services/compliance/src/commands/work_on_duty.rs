//! Something is done about a duty: by people, by an erasure that is complete, by the clock.

use std::convert::Infallible;

use bhiv_db::DieselError;
use bhiv_outbox::{Command, Fault, Refusal, Tx};
use bhiv_types::{IllegalTransition, State as _};
use uuid::Uuid;

use super::open_duty::note;
use crate::domain::duty::{DutyChange, DutyKind, DutyStatus};
use crate::events;
use crate::store::duty::{self, Duty, DutyRecord};

/// How many duties one transaction tells of.
pub const AT_A_TIME: usize = 50;

/// Somebody does something about a duty.
#[derive(Debug)]
pub struct WorkOnDuty {
    /// Which.
    pub id: Uuid,
    /// Whether it is the report of a breach.
    pub breach: bool,
    /// What they do.
    pub change: DutyChange,
}

/// Why not.
#[derive(Debug, thiserror::Error)]
pub enum WorkOnDutyError {
    #[error("there is no such duty")]
    NotFound,
    #[error(transparent)]
    Status(#[from] IllegalTransition),
    #[error("whoever closes a duty says what was done")]
    Unsaid,
    #[error("it is {0}, and stays as it is")]
    Closed(DutyStatus),
    #[error("it gets no more time: {0}")]
    NoMoreTime(&'static str),
}

impl Refusal for WorkOnDutyError {}

impl Command for WorkOnDuty {
    type Output = DutyRecord;
    type Refusal = WorkOnDutyError;

    async fn run(&self, tx: &mut Tx) -> Result<DutyRecord, Fault<WorkOnDutyError>> {
        let found = duty::lock(tx.conn(), self.id).await?;
        let found = found.filter(|duty| (duty.kind == DutyKind::BreachReport) == self.breach);
        let before = found.ok_or(WorkOnDutyError::NotFound)?;
        let DutyChange { status, note: said, reference, extend } = self.change.clone();
        let mut after = before.clone();
        if let Some(status) = status {
            after.status = before.status.become_(status).map_err(WorkOnDutyError::from)?;
        } else if before.closed_at.is_some() {
            return Err(WorkOnDutyError::Closed(before.status).into());
        }
        if after.status.is_final() {
            if said.is_none() {
                return Err(WorkOnDutyError::Unsaid.into());
            }
            after.closed_at = Some(tx.now());
        }
        if extend.is_some() {
            after = extended(after)?;
        }
        tx.continue_story(after.correlation_id);
        let mut notes = Vec::new();
        notes.extend(extend.map(|why| format!("extended to {:?}: {why}", after.due_at)));
        notes.extend(status.map(|status| format!("{status} by {}", tx.actor())));
        for what in notes {
            note(tx, after.id, what, None).await?;
        }
        if let Some(what) = said {
            note(tx, after.id, what, reference).await?;
        }
        if after != before {
            save(tx, "duty.update", &before, &mut after).await?;
        }
        let evidence = duty::evidence(tx.conn(), after.id).await?;
        Ok(DutyRecord { duty: after, evidence })
    }
}

fn extended(mut duty: Duty) -> Result<Duty, WorkOnDutyError> {
    if duty.kind == DutyKind::BreachReport {
        return Err(WorkOnDutyError::NoMoreTime("a breach is reported within 72 hours"));
    }
    if duty.extended {
        return Err(WorkOnDutyError::NoMoreTime("it was extended already"));
    }
    let more = duty.regime.extended_to(duty.received_at);
    duty.due_at = more.ok_or(WorkOnDutyError::NoMoreTime("the law gives none"))?;
    duty.extended = true;
    duty.overdue_at = None;
    Ok(duty)
}

async fn save(tx: &mut Tx, action: &str, before: &Duty, after: &mut Duty) -> Result<(), DieselError> {
    after.version += 1;
    after.updated_at = tx.now();
    duty::update(tx.conn(), after).await?;
    tx.audit(action, format!("duty/{}", after.id), Some(before), Some(&*after));
    Ok(())
}

/// The duties that led to an erasure are done when it is complete.
pub async fn fulfil_of_erasure(tx: &mut Tx, erasure_id: Uuid) -> Result<(), DieselError> {
    for before in duty::lock_of_erasure(tx.conn(), erasure_id).await? {
        let mut after = Duty { status: DutyStatus::Fulfilled, closed_at: Some(tx.now()), ..before.clone() };
        save(tx, "duty.fulfil", &before, &mut after).await?;
        let certificate = format!("/compliance/erasure/{erasure_id}/certificate");
        note(tx, after.id, "every module has erased the person".to_owned(), Some(certificate)).await?;
    }
    Ok(())
}

/// Tells, once, of duties that should be done by now and are not. Answers of how many.
#[derive(Debug)]
pub struct TellOverdueDuties;

impl Command for TellOverdueDuties {
    type Output = usize;
    type Refusal = Infallible;

    fn is_alone(&self) -> bool {
        true
    }

    async fn run(&self, tx: &mut Tx) -> Result<usize, Fault<Infallible>> {
        let now = tx.now();
        let late = duty::lock_overdue(tx.conn(), now, AT_A_TIME).await?;
        for before in &late {
            tx.follow(before.correlation_id);
            let mut after = Duty { overdue_at: Some(now), ..before.clone() };
            save(tx, "duty.overdue", before, &mut after).await?;
            note(tx, after.id, format!("not done by {:?}", after.due_at), None).await?;
            events::duty_overdue(tx, &after);
        }
        Ok(late.len())
    }
}
