use std::convert::Infallible;

use bhiv_outbox::{Command, Fault, Tx};

use crate::domain::consent::ConsentState;
use crate::events;
use crate::store::consent::{self, ConsentRecord};
use crate::store::expiry;

/// How many one transaction records.
pub const AT_A_TIME: usize = 50;

/// Records, once, that consents have ended by themselves. Answers of how many.
#[derive(Debug)]
pub struct ExpireConsents;

impl Command for ExpireConsents {
    type Output = usize;
    type Refusal = Infallible;

    fn is_alone(&self) -> bool {
        true
    }

    async fn run(&self, tx: &mut Tx) -> Result<usize, Fault<Infallible>> {
        let now = tx.now();
        let due = expiry::due(tx.conn(), now, AT_A_TIME).await?;
        for due in &due {
            consent::lock(tx.conn(), &due.subject, &due.purpose).await?;
            // Another replica may have recorded it, or the person may have spoken since it was read.
            let ends = expiry::of(tx.conn(), due.consent_id).await?;
            if ends.is_none_or(|ends| ends > now) {
                continue;
            }
            expiry::delete(tx.conn(), due.consent_id).await?;
            let latest = consent::latest(tx.conn(), &due.subject, &due.purpose).await?;
            let Some(granted) = latest.filter(|latest| latest.action == ConsentState::Granted) else {
                continue;
            };
            tx.follow(granted.correlation_id);
            let record = ConsentRecord {
                id: tx.id(),
                version: granted.version + 1,
                action: ConsentState::Withdrawn,
                expired: true,
                evidence: None,
                source_event: None,
                actor: tx.actor().to_owned(),
                created_at: now,
                ..granted
            };
            consent::insert(tx.conn(), &record).await?;
            events::consent_recorded(tx, &record);
            tx.audit("consent.expire", format!("consent/{}", record.consent_id), None, Some(&record));
        }
        Ok(due.len())
    }
}
