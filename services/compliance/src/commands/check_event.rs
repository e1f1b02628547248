use bhiv_db::DieselError;
use bhiv_events::Event;
use bhiv_outbox::{Command, Fault, Refusal, Tx};

use crate::domain::context::{Known, Unjudgeable, person, request};
use crate::domain::policy::Verdict;
use crate::domain::policy::flip::smallest;
use crate::domain::rulebook::Rulebook;
use crate::events;
use crate::store::check::{self, Check};
use crate::store::heard::{self, HeardEvent};
use crate::store::{consent, policy};

/// Judges an event by the policies as they are now, once.
#[derive(Debug)]
pub struct CheckEvent {
    /// The event.
    pub event: Event,
    /// The policies, as they were read last.
    pub rulebook: Rulebook,
}

impl Refusal for Unjudgeable {}

impl Command for CheckEvent {
    type Output = ();
    type Refusal = Unjudgeable;

    async fn run(&self, tx: &mut Tx) -> Result<(), Fault<Unjudgeable>> {
        let event = &self.event;
        let mut known = Known { person: person(event), consents: Vec::new() };
        if let Some(person) = &known.person {
            known.consents = consent::states(tx.conn(), person).await?;
        }
        let policies = self.rulebook.open(policy::enabled(tx.conn()).await?);
        let judgement = policies.judge(&request(event, &known)?);
        let flip = smallest(&policies, event, &known, &judgement);
        let check = Check {
            id: tx.id(),
            event_id: event.id,
            event_type: event.name(),
            entity: event.subject.clone(),
            verdict: judgement.verdict,
            rules: judgement.rules,
            errors: judgement.errors,
            flip,
            actor: event.actor.clone(),
            correlation_id: event.correlationid,
            event_time: event.time,
            created_at: tx.now(),
        };
        if check::insert(tx.conn(), &check).await? {
            events::compliance_checked(tx, &check);
            if check.verdict == Verdict::Violation {
                events::compliance_violation(tx, &check);
            }
            self.keep(tx, known).await?;
        }
        Ok(())
    }
}

impl CheckEvent {
    /// Keeps the event for drafts to be tried on, unless it tells of somebody who was forgotten.
    async fn keep(&self, tx: &mut Tx, known: Known) -> Result<(), DieselError> {
        let event = serde_json::to_value(&self.event).unwrap_or_default();
        // PostgreSQL keeps no U+0000 in a text.
        if tx.mentions_erased(&self.event).await? || event.to_string().contains("\\u0000") {
            return Ok(());
        }
        let (event_id, name, heard_at) = (self.event.id, self.event.name(), tx.now());
        heard::insert(tx.conn(), &HeardEvent { event_id, name, event, known, heard_at }).await
    }
}
