use bhiv_outbox::{Command, Fault, Refusal, Tx};

use super::By;
use crate::domain::ids::LeadId;
use crate::events;
use crate::store::lead::{self, Lead};
use crate::store::merge::{self, Merge};
use crate::store::{Owned as _, duplicate, opportunity};

/// Two leads are one person: the one takes over what belongs to the other, which ends.
#[derive(Debug)]
pub struct MergeLead {
    /// The one that goes on.
    pub id: LeadId,
    /// The one that ends in it.
    pub from: LeadId,
    /// Who says so.
    pub by: By,
}

/// Why two leads stay two.
#[derive(Debug, thiserror::Error)]
pub enum MergeLeadError {
    #[error("there is no lead {0}")]
    NotFound(LeadId),
    #[error("there is no lead {0} to merge")]
    NoOther(LeadId),
    #[error("a lead is not merged into itself")]
    Itself,
    #[error("lead/{0} was merged into lead/{1} already")]
    Merged(LeadId, LeadId),
    #[error("lead/{0} was converted: merge the other one into it")]
    Converted(LeadId),
}

impl Refusal for MergeLeadError {}

impl Command for MergeLead {
    type Output = Lead;
    type Refusal = MergeLeadError;

    fn is_alone(&self) -> bool {
        true
    }

    async fn run(&self, tx: &mut Tx) -> Result<Lead, Fault<MergeLeadError>> {
        if self.id == self.from {
            return Err(MergeLeadError::Itself.into());
        }
        let (before, from) = both(tx, self.id, self.from).await?;
        let before = before.and_then(|lead| lead.within(&self.by.reach));
        let before = before.ok_or(MergeLeadError::NotFound(self.id))?;
        let from = from.and_then(|lead| lead.within(&self.by.reach));
        let from = from.ok_or(MergeLeadError::NoOther(self.from))?;
        for lead in [&before, &from] {
            if let Some(into) = lead.merged_into {
                return Err(MergeLeadError::Merged(lead.id, into).into());
            }
        }
        if from.status == crate::domain::lead::LeadStatus::Converted {
            return Err(MergeLeadError::Converted(from.id).into());
        }
        let now = tx.now();
        let mut after = before.clone();
        let filled = fill(&mut after, &from);
        after.version += 1;
        after.updated_at = now;
        let mut ended = from.clone();
        ended.merged_into = Some(after.id);
        ended.archived_at = Some(now);
        ended.version += 1;
        ended.updated_at = now;
        lead::update(tx.conn(), &after).await?;
        lead::update(tx.conn(), &ended).await?;
        let opportunities = merge::opportunities(tx.conn(), from.id).await?;
        for id in &opportunities {
            give_opportunity(tx, *id, after.id).await?;
        }
        let merge = Merge {
            id: tx.id(),
            survivor: after.id,
            merged: from.id,
            filled,
            opportunities,
            activities: merge::move_activities(tx.conn(), from.id, after.id, None).await?,
            contacts: merge::move_contacts(tx.conn(), from.id, after.id, None).await?,
            merged_at: now,
        };
        merge::insert(tx.conn(), &merge).await?;
        duplicate::dismiss(tx.conn(), from.id, None, now).await?;
        tx.continue_story(after.correlation_id);
        events::lead_merged(tx, &after, from.id, true);
        let entity = |lead: &Lead| format!("lead/{}", lead.id);
        tx.change("lead.merge", entity(&after), after.version, Some(&before), Some(&after));
        tx.change("lead.end", entity(&ended), ended.version, Some(&from), Some(&ended));
        Ok(after)
    }
}

/// Both of them, locked in one order, so that two merges never wait for each other.
pub(super) async fn both(
    tx: &mut Tx,
    one: LeadId,
    other: LeadId,
) -> Result<(Option<Lead>, Option<Lead>), bhiv_db::DieselError> {
    let first = lead::lock(tx.conn(), one.min(other)).await?;
    let second = lead::lock(tx.conn(), one.max(other)).await?;
    Ok(if one < other { (first, second) } else { (second, first) })
}

/// Moves an opportunity to another lead.
pub(super) async fn give_opportunity(
    tx: &mut Tx,
    id: crate::domain::ids::OpportunityId,
    to: LeadId,
) -> Result<(), bhiv_db::DieselError> {
    let Some(before) = opportunity::lock(tx.conn(), id).await? else { return Ok(()) };
    let mut after = before.clone();
    after.lead_id = to;
    after.version += 1;
    after.updated_at = tx.now();
    opportunity::update(tx.conn(), &after).await?;
    let entity = format!("opportunity/{id}");
    tx.change("opportunity.merge", entity, after.version, Some(&before), Some(&after));
    Ok(())
}

/// Gives a lead what it lacks and the other one has; answers the names of those fields.
fn fill(lead: &mut Lead, from: &Lead) -> Vec<String> {
    let mut filled = Vec::new();
    macro_rules! fill {
        ($($field:ident),+) => {$(
            if lead.$field.is_none() && from.$field.is_some() {
                lead.$field.clone_from(&from.$field);
                filled.push(stringify!($field).to_owned());
            }
        )+};
    }
    fill!(phone, company, source, budget, authority, need, timeline, score);
    filled
}

/// Takes back what was filled, as far as it is still what the other one has.
pub(super) fn empty(lead: &mut Lead, from: &Lead, filled: &[String]) {
    macro_rules! empty {
        ($($field:ident),+) => {$(
            if filled.iter().any(|name| name == stringify!($field)) && lead.$field == from.$field {
                lead.$field = None;
            }
        )+};
    }
    empty!(phone, company, source, budget, authority, need, timeline, score);
}
