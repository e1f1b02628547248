use bhiv_outbox::{Command, Fault, Refusal, Tx};
use bhiv_types::{IllegalTransition, Patch, State as _};

use super::changed_fields;
use crate::domain::ids::LeadId;
use crate::domain::lead::LeadChange;
use crate::events;
use crate::store::lead::{self, Lead};

/// Changes fields of a lead.
#[derive(Debug)]
pub struct PatchLead {
    /// Which lead.
    pub id: LeadId,
    /// What changes.
    pub change: LeadChange,
}

/// Why a lead stays as it is.
#[derive(Debug, thiserror::Error)]
pub enum PatchLeadError {
    #[error("there is no lead {0}")]
    NotFound(LeadId),
    #[error(transparent)]
    Status(#[from] IllegalTransition),
}

impl Refusal for PatchLeadError {}

impl Command for PatchLead {
    type Output = Lead;
    type Refusal = PatchLeadError;

    async fn run(&self, tx: &mut Tx) -> Result<Lead, Fault<PatchLeadError>> {
        let before = lead::lock(tx.conn(), self.id).await?.ok_or(PatchLeadError::NotFound(self.id))?;
        let mut after = before.clone();
        apply(self.change.clone(), &mut after).map_err(PatchLeadError::from)?;
        let changed = changed_fields(&before, &after);
        if changed.is_empty() {
            return Ok(before);
        }
        after.version += 1;
        after.updated_at = tx.now();
        lead::update(tx.conn(), &after).await?;
        tx.continue_story(after.correlation_id);
        events::lead_updated(tx, &after, changed);
        tx.change("lead.update", format!("lead/{}", after.id), after.version, Some(&before), Some(&after));
        Ok(after)
    }
}

fn apply(change: LeadChange, lead: &mut Lead) -> Result<(), IllegalTransition> {
    let LeadChange { name, email, phone, source, company, budget, need, timeline, owner, status } = change;
    if let Some(name) = name {
        lead.name = name;
    }
    if let Some(email) = email {
        lead.email = email;
    }
    if let Some(owner) = owner {
        lead.owner = owner;
    }
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
    }
    Ok(())
}
