//! A duty begins: somebody asks for something, or a breach becomes known.

use bhiv_db::DieselError;
use bhiv_outbox::{Command, Fault, Refusal, Tx};
use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::request_erasure::RequestErasure;
use crate::domain::duty::{DutyKind, DutyStatus, NewBreach, NewRequest};
use crate::domain::erasure::{ErasureStatus, NewErasure};
use crate::domain::regime::Regime;
use crate::store::duty::{self, Duty, DutyEvidence, DutyRecord};

/// A person asks for something. Who asks to be forgotten is, unless something speaks against it, which is noted.
#[derive(Debug)]
pub struct OpenRequest {
    /// Who asks for what.
    pub new: NewRequest,
    /// The law, unless the request names one.
    pub regime: Regime,
}

/// A breach becomes known.
#[derive(Debug)]
pub struct OpenBreach {
    /// What happened.
    pub new: NewBreach,
    /// The law, unless the report names one.
    pub regime: Regime,
}

/// Why not.
#[derive(Debug, thiserror::Error)]
pub enum OpenDutyError {
    #[error("it lies in the future")]
    Future(&'static str),
}

impl Refusal for OpenDutyError {}

impl Command for OpenRequest {
    type Output = DutyRecord;
    type Refusal = OpenDutyError;

    fn is_alone(&self) -> bool {
        true
    }

    async fn run(&self, tx: &mut Tx) -> Result<DutyRecord, Fault<OpenDutyError>> {
        let NewRequest { kind, subject, also, regime, details, received_at } = self.new.clone();
        let regime = regime.unwrap_or(self.regime);
        let received_at = begin(tx, "/received_at", received_at)?;
        tx.continue_story_of(&subject).await?;
        let due_at = regime.answer_by(received_at);
        let mut duty = new(tx, kind.into(), regime, (received_at, due_at));
        duty.details = details;
        duty.subject = Some(subject.clone());
        let mut notes = vec![format!("received {received_at:?}, to be answered by {due_at:?}")];
        if duty.kind == DutyKind::Erasure {
            let new = NewErasure { subject, also, regime: Some(regime), reason: None };
            match (RequestErasure { new, regime }).run(tx).await {
                Ok(begun) => {
                    duty.erasure_id = Some(begun.erasure.id);
                    if begun.erasure.status == ErasureStatus::Running {
                        // Nobody is named any more, and what they said may name them.
                        duty.subject = Some(begun.erasure.subject);
                        duty.details = None;
                    }
                    notes.push(format!("the erasure {} is {}", begun.erasure.id, begun.erasure.status));
                }
                Err(Fault::Refused(refusal)) => notes.push(format!("nothing is erased: {refusal}")),
                Err(Fault::Database(error)) => return Err(Fault::Database(error)),
                Err(Fault::KeyReused) => return Err(Fault::KeyReused),
                Err(Fault::InFlight) => return Err(Fault::InFlight),
            }
        }
        Ok(store(tx, duty, notes).await?)
    }
}

impl Command for OpenBreach {
    type Output = DutyRecord;
    type Refusal = OpenDutyError;

    async fn run(&self, tx: &mut Tx) -> Result<DutyRecord, Fault<OpenDutyError>> {
        let NewBreach { details, discovered_at, affected, regime } = self.new.clone();
        let regime = regime.unwrap_or(self.regime);
        let discovered_at = begin(tx, "/discovered_at", discovered_at)?;
        let due_at = regime.report_by(discovered_at);
        let mut duty = new(tx, DutyKind::BreachReport, regime, (discovered_at, due_at));
        duty.details = Some(details);
        duty.affected = affected;
        let note = format!("became known {discovered_at:?}, to be reported by {due_at:?}");
        Ok(store(tx, duty, vec![note]).await?)
    }
}

fn begin(tx: &Tx, field: &'static str, said: Option<DateTime<Utc>>) -> Result<DateTime<Utc>, OpenDutyError> {
    let begin = said.unwrap_or_else(|| tx.now());
    if begin > tx.now() { Err(OpenDutyError::Future(field)) } else { Ok(begin) }
}

fn new(
    tx: &mut Tx,
    kind: DutyKind,
    regime: Regime,
    (received_at, due_at): (DateTime<Utc>, DateTime<Utc>),
) -> Duty {
    Duty {
        id: tx.id(),
        version: 1,
        kind,
        regime,
        subject: None,
        details: None,
        affected: None,
        erasure_id: None,
        status: DutyStatus::Open,
        received_at,
        due_at,
        extended: false,
        overdue_at: None,
        closed_at: None,
        opened_by: tx.actor().to_owned(),
        correlation_id: tx.correlation(),
        created_at: tx.now(),
        updated_at: tx.now(),
    }
}

async fn store(tx: &mut Tx, duty: Duty, notes: Vec<String>) -> Result<DutyRecord, DieselError> {
    duty::insert(tx.conn(), &duty).await?;
    for what in notes {
        note(tx, duty.id, what, None).await?;
    }
    tx.audit("duty.open", format!("duty/{}", duty.id), None, Some(&duty));
    let evidence = duty::evidence(tx.conn(), duty.id).await?;
    Ok(DutyRecord { duty, evidence })
}

/// Keeps what was done.
pub async fn note(
    tx: &mut Tx,
    duty_id: Uuid,
    what: String,
    reference: Option<String>,
) -> Result<(), DieselError> {
    let (id, actor, created_at) = (tx.id(), tx.actor().to_owned(), tx.now());
    duty::note(tx.conn(), &DutyEvidence { id, duty_id, what, reference, actor, created_at }).await
}
