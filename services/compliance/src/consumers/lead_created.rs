use std::collections::BTreeSet;

use bhiv_events::Event;
use bhiv_events::crm::LeadCreated;
use bhiv_outbox::{Command as _, Failure, Fault, Handle, Tx};
use bhiv_types::Purpose;
use serde_json::json;

use crate::commands::grant_consent::GrantConsent;
use crate::domain::consent::{Evidence, Grant};

/// lead_created -> what the person agreed to is on record.
pub struct RecordItsConsents;

impl Handle<LeadCreated> for RecordItsConsents {
    async fn handle(&self, tx: &mut Tx, event: &Event, lead: LeadCreated) -> Result<(), Failure> {
        if tx.mentions_erased(event).await? {
            return Ok(());
        }
        for purpose in purposes(event, &lead.consent_purposes) {
            let evidence = json!({"event_id": event.id, "event_type": event.name(), "actor": event.actor});
            let grant = Grant {
                subject: event.subject.clone(),
                purpose,
                notice_version: None,
                expires_at: None,
                evidence: Some(Evidence(evidence)),
            };
            match (GrantConsent { grant, source_event: Some(event.id) }).run(tx).await {
                // Nobody can be asked what they meant; the lead is judged by what is on record.
                Err(Fault::Refused(refusal)) => {
                    tracing::warn!(event.id = %event.id, event.subject, %refusal, "a consent is not recorded");
                }
                granted => drop(granted.map_err(Failure::from)?),
            }
        }
        Ok(())
    }
}

/// Each purpose once. What is no purpose could never be asked for, and must not keep the others off the record.
fn purposes(event: &Event, named: &[String]) -> BTreeSet<Purpose> {
    let readable = |name: &String| match name.parse() {
        Ok(purpose) => Some(purpose),
        Err(error) => {
            tracing::warn!(event.id = %event.id, event.subject, %error, "a consent is not recorded");
            None
        }
    };
    named.iter().filter_map(readable).collect()
}
