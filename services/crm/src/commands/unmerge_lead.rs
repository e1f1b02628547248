use bhiv_outbox::{Command, Fault, Refusal, Tx};

use super::By;
use super::merge_lead::{both, empty, give_opportunity};
use crate::domain::ids::LeadId;
use crate::events;
use crate::store::lead::{self, Lead};
use crate::store::{Owned as _, merge, opportunity};

/// A merge was a mistake: the lead that ended goes on, with what was its own.
#[derive(Debug)]
pub struct UnmergeLead {
    /// The one that ended.
    pub id: LeadId,
    /// Who says so.
    pub by: By,
}

/// Why a merge is not taken back.
#[derive(Debug, thiserror::Error)]
pub enum UnmergeLeadError {
    #[error("there is no lead {0}")]
    NotFound(LeadId),
    #[error("lead/{0} was not merged into another one")]
    NotMerged(LeadId),
    #[error("lead/{0}, which it was merged into, was merged itself: take that back first")]
    SurvivorMerged(LeadId),
}

impl Refusal for UnmergeLeadError {}

impl Command for UnmergeLead {
    type Output = Lead;
    type Refusal = UnmergeLeadError;

    fn is_alone(&self) -> bool {
        true
    }

    async fn run(&self, tx: &mut Tx) -> Result<Lead, Fault<UnmergeLeadError>> {
        let seen = lead::find(tx.conn(), self.id).await?.and_then(|lead| lead.within(&self.by.reach));
        seen.ok_or(UnmergeLeadError::NotFound(self.id))?;
        let merge = merge::of(tx.conn(), self.id).await?;
        let merge = merge.ok_or(UnmergeLeadError::NotMerged(self.id))?;
        let (ended, survivor) = both(tx, self.id, merge.survivor).await?;
        let ended = ended.ok_or(UnmergeLeadError::NotFound(self.id))?;
        let survivor = survivor.ok_or(UnmergeLeadError::NotFound(merge.survivor))?;
        if ended.merged_into != Some(survivor.id) {
            return Err(UnmergeLeadError::NotMerged(self.id).into());
        }
        if survivor.merged_into.is_some() {
            return Err(UnmergeLeadError::SurvivorMerged(survivor.id).into());
        }
        let now = tx.now();
        let mut left = survivor.clone();
        empty(&mut left, &ended, &merge.filled);
        left.version += 1;
        left.updated_at = now;
        let mut again = ended.clone();
        again.merged_into = None;
        again.archived_at = None;
        again.version += 1;
        again.updated_at = now;
        lead::update(tx.conn(), &left).await?;
        lead::update(tx.conn(), &again).await?;
        for id in &merge.opportunities {
            let of = opportunity::find(tx.conn(), *id).await?.map(|opportunity| opportunity.lead_id);
            if of == Some(survivor.id) {
                give_opportunity(tx, *id, ended.id).await?;
            }
        }
        merge::move_activities(tx.conn(), survivor.id, ended.id, Some(&merge.activities)).await?;
        merge::move_contacts(tx.conn(), survivor.id, ended.id, Some(&merge.contacts)).await?;
        merge::undo(tx.conn(), merge.id, now).await?;
        tx.continue_story(survivor.correlation_id);
        events::lead_merged(tx, &left, ended.id, false);
        let entity = |lead: &Lead| format!("lead/{}", lead.id);
        tx.change("lead.unmerge", entity(&left), left.version, Some(&survivor), Some(&left));
        tx.change("lead.go_on", entity(&again), again.version, Some(&ended), Some(&again));
        Ok(again)
    }
}
