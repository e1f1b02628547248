use std::convert::Infallible;

use bhiv_outbox::{Command, Fault, Tx};

use crate::domain::lead::{LeadStatus, NewLead};
use crate::events;
use crate::store::lead::{self, Lead};

/// A lead comes in.
#[derive(Debug)]
pub struct CreateLead(pub NewLead);

impl Command for CreateLead {
    type Output = Lead;
    type Refusal = Infallible;

    async fn run(&self, tx: &mut Tx) -> Result<Lead, Fault<Infallible>> {
        let new = self.0.clone();
        let caller = tx.actor().trim_start_matches("user/").to_owned();
        let lead = Lead {
            id: tx.id().into(),
            version: 1,
            correlation_id: tx.correlation(),
            name: new.name,
            email: new.email,
            phone: new.phone,
            company: new.company,
            source: new.source,
            budget: new.budget.map(bhiv_types::Amount::get),
            need: new.need,
            timeline: new.timeline,
            consent_purposes: new
                .consent
                .map(|consent| consent.purposes.into_iter().map(String::from).collect())
                .unwrap_or_default(),
            owner: new.owner.unwrap_or(caller),
            status: LeadStatus::New,
            score: None,
            created_at: tx.now(),
            updated_at: tx.now(),
        };
        lead::insert(tx.conn(), &lead).await?;
        events::lead_created(tx, &lead);
        tx.change("lead.create", format!("lead/{}", lead.id), 1, None, Some(&lead));
        Ok(lead)
    }
}
