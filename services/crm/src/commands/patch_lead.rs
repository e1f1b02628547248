use bhiv_outbox::{Command, Fault, Refusal, Tx};
use bhiv_types::{IllegalTransition, Patch, State as _};
use chrono::{DateTime, Utc};

use super::find_duplicates::find_duplicates;
use super::{By, changed_fields, hand_over};
use crate::domain::ids::LeadId;
use crate::domain::lead::{LeadChange, LeadStatus};
use crate::events;
use crate::store::Owned as _;
use crate::store::duplicate;
use crate::store::lead::{self, Lead};

/// Changes fields of a lead.
#[derive(Debug)]
pub struct PatchLead {
    /// Which lead.
    pub id: LeadId,
    /// What changes.
    pub change: LeadChange,
    /// Who changes it.
    pub by: By,
}

/// Why a lead stays as it is.
#[derive(Debug, thiserror::Error)]
pub enum PatchLeadError {
    #[error("there is no lead {0}")]
    NotFound(LeadId),
    #[error(transparent)]
    Status(#[from] IllegalTransition),
    #[error("a lead is converted by its conversion, which makes the account and the contact")]
    Conversion,
    #[error("a qualified lead has a budget, an authority, a need and a timeline; this one lacks {}", .0.join(", "))]
    Unqualified(Vec<&'static str>),
    #[error("it was merged into lead/{0}")]
    Merged(LeadId),
}

impl Refusal for PatchLeadError {}

impl Command for PatchLead {
    type Output = Lead;
    type Refusal = PatchLeadError;

    async fn run(&self, tx: &mut Tx) -> Result<Lead, Fault<PatchLeadError>> {
        let before = lead::lock(tx.conn(), self.id).await?.and_then(|lead| lead.within(&self.by.reach));
        let before = before.ok_or(PatchLeadError::NotFound(self.id))?;
        if let Some(into) = before.merged_into {
            return Err(PatchLeadError::Merged(into).into());
        }
        let mut after = before.clone();
        apply(self.change.clone(), &mut after, tx.now())?;
        let changed = changed_fields(&before, &after);
        if changed.is_empty() {
            return Ok(before);
        }
        after.version += 1;
        after.updated_at = tx.now();
        if changed.iter().any(|name| ["name", "email", "phone", "company"].contains(&name.as_str())) {
            let candidates = duplicate::update_lead(tx.conn(), &after).await?;
            find_duplicates(tx, &after, candidates).await?;
        } else {
            lead::update(tx.conn(), &after).await?;
        }
        tx.continue_story(after.correlation_id);
        events::lead_updated(tx, &after, changed);
        tx.change("lead.update", format!("lead/{}", after.id), after.version, Some(&before), Some(&after));
        Ok(after)
    }
}

fn apply(change: LeadChange, lead: &mut Lead, now: DateTime<Utc>) -> Result<(), PatchLeadError> {
    let LeadChange { name, email, phone, source, company, budget, need, timeline, status, .. } = change;
    if let Some(name) = name {
        lead.name = name;
    }
    if let Some(email) = email {
        lead.email = email;
    }
    if let Some(archived) = change.archived {
        lead.archived_at = archived.then(|| lead.archived_at.unwrap_or(now));
    }
    change.authority.apply(&mut lead.authority);
    hand_over(change.owner, change.team, (&mut lead.owner, &mut lead.team));
    phone.apply(&mut lead.phone);
    source.apply(&mut lead.source);
    company.apply(&mut lead.company);
    need.apply(&mut lead.need);
    timeline.apply(&mut lead.timeline);
    match budget {
        Patch::Keep => {}
        Patch::Clear => lead.budget = None,
        Patch::Set(budget) => lead.budget = Some(budget.get()),
    }
    if let Some(status) = status.filter(|status| *status != lead.status) {
        lead.status = lead.status.become_(status)?;
        if status == LeadStatus::Converted {
            return Err(PatchLeadError::Conversion);
        }
        if status == LeadStatus::Qualified && !lead.lacks().is_empty() {
            return Err(PatchLeadError::Unqualified(lead.lacks()));
        }
    }
    Ok(())
}
