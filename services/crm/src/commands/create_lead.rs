use std::convert::Infallible;

use bhiv_outbox::{Command, Fault, Refusal, Tx};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::By;
use super::find_duplicates::find_duplicates;
use crate::domain::conversion::OnDuplicates;
use crate::domain::lead::{LeadStatus, NewLead};
use crate::events;
use crate::store::duplicate::{self, Duplicate};
use crate::store::lead::Lead;

/// A lead comes in.
#[derive(Debug)]
pub struct CreateLead {
    /// What is known of it.
    pub new: NewLead,
    /// Who brings it.
    pub by: By,
    /// What happens when it looks like one that is there.
    pub duplicates: OnDuplicates,
}

/// A lead that came in.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct CreatedLead {
    /// It.
    #[serde(flatten)]
    pub lead: Lead,
    /// Leads that look like the same person, the surest first.
    pub duplicates: Vec<Duplicate>,
}

/// Why a lead does not come in.
#[derive(Debug, thiserror::Error)]
#[error("it looks like {} that is there", .0.first().map_or_else(String::new, |it| format!("lead/{}", it.other_id)))]
pub struct LooksLikeOthers(pub Vec<Duplicate>);

impl Refusal for LooksLikeOthers {}

impl From<Infallible> for LooksLikeOthers {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

impl Command for CreateLead {
    type Output = CreatedLead;
    type Refusal = LooksLikeOthers;

    async fn run(&self, tx: &mut Tx) -> Result<CreatedLead, Fault<LooksLikeOthers>> {
        let new = self.new.clone();
        let (owner, team) = self.by.owning(tx, new.owner, new.team);
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
            authority: new.authority,
            consent_purposes: new
                .consent
                .map(|consent| consent.purposes.into_iter().map(String::from).collect())
                .unwrap_or_default(),
            owner,
            team,
            status: LeadStatus::New,
            score: None,
            created_at: tx.now(),
            updated_at: tx.now(),
            archived_at: None,
            merged_into: None,
        };
        let candidates = duplicate::insert_lead(tx.conn(), &lead).await?;
        let duplicates = find_duplicates(tx, &lead, candidates).await?;
        if self.duplicates == OnDuplicates::Refuse && !duplicates.is_empty() {
            return Err(LooksLikeOthers(duplicates).into());
        }
        events::lead_created(tx, &lead);
        tx.change("lead.create", format!("lead/{}", lead.id), 1, None, Some(&lead));
        Ok(CreatedLead { lead, duplicates })
    }
}
