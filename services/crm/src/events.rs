//! What crm tells others: the only place where its events are built.

use bhiv_events::crm::{
    AccountChanged, LeadConverted, LeadCreated, LeadMerged, LeadUpdated, OpportunityCreated, OpportunityLost,
    OpportunityStageChanged, OpportunityWon,
};
use bhiv_outbox::Tx;

use crate::domain::ids::{AccountId, ContactId, LeadId, OpportunityId};
use crate::domain::opportunity::Stage;
use crate::store::account::Account;
use crate::store::lead::Lead;
use crate::store::opportunity::Opportunity;

/// A lead came in.
pub fn lead_created(tx: &mut Tx, lead: &Lead) {
    let event = LeadCreated {
        lead_id: lead.id.0,
        name: lead.name.clone(),
        company: lead.company.clone(),
        source: lead.source.clone(),
        budget: lead.budget,
        need: lead.need.clone(),
        timeline: lead.timeline.clone(),
        has_phone: lead.phone.is_some(),
        consent_purposes: lead.consent_purposes.clone(),
        owner: lead.owner.get().map(str::to_owned),
        team: lead.team.clone(),
    };
    tx.record(lead.version, &event);
}

/// Fields of a lead changed.
pub fn lead_updated(tx: &mut Tx, lead: &Lead, changed: Vec<String>) {
    let event = LeadUpdated {
        lead_id: lead.id.0,
        changed,
        status: lead.status.to_string(),
        owner: lead.owner.get().map(str::to_owned),
        team: lead.team.clone(),
    };
    tx.record(lead.version, &event);
}

/// A lead became a customer.
pub fn lead_converted(
    tx: &mut Tx,
    lead: &Lead,
    account: AccountId,
    contact: ContactId,
    opportunity: Option<OpportunityId>,
) {
    let event = LeadConverted {
        lead_id: lead.id.0,
        account_id: account.0,
        contact_id: contact.0,
        opportunity_id: opportunity.map(|id| id.0),
        owner: lead.owner.get().map(str::to_owned),
        team: lead.team.clone(),
    };
    tx.record(lead.version, &event);
}

/// A lead took over what belonged to another one, or gave it back.
pub fn lead_merged(tx: &mut Tx, lead: &Lead, other: LeadId, merged: bool) {
    let event = LeadMerged {
        lead_id: lead.id.0,
        merged_id: other.0,
        merged,
        owner: lead.owner.get().map(str::to_owned),
        team: lead.team.clone(),
    };
    tx.record(lead.version, &event);
}

/// An opportunity was opened.
pub fn opportunity_created(tx: &mut Tx, opportunity: &Opportunity) {
    let event = OpportunityCreated {
        opportunity_id: opportunity.id.0,
        lead_id: opportunity.lead_id.0,
        value: opportunity.value,
        currency: opportunity.currency.to_string(),
        stage: opportunity.stage.to_string(),
        probability: opportunity.probability,
        expected_close_date: opportunity.expected_close_date,
        owner: opportunity.owner.get().map(str::to_owned),
        team: opportunity.team.clone(),
    };
    tx.record(opportunity.version, &event);
}

/// An opportunity moved from `before` to where it is now.
pub fn opportunity_moved(tx: &mut Tx, opportunity: &Opportunity, before: Stage) {
    let (opportunity_id, lead_id) = (opportunity.id.0, opportunity.lead_id.0);
    let (value, currency) = (opportunity.value, opportunity.currency.to_string());
    let version = opportunity.version;
    let (owner, team) = (opportunity.owner.get().map(str::to_owned), opportunity.team.clone());
    match opportunity.stage {
        Stage::Won => {
            tx.record(version, &OpportunityWon { opportunity_id, lead_id, value, currency, owner, team })
        }
        Stage::Lost => {
            tx.record(version, &OpportunityLost { opportunity_id, lead_id, value, currency, owner, team })
        }
        stage @ (Stage::Qualification | Stage::Proposal | Stage::Negotiation) => {
            let (from, to) = (before.to_string(), stage.to_string());
            tx.record(version, &OpportunityStageChanged { opportunity_id, lead_id, from, to, owner, team })
        }
    };
}

/// An account was opened (`created`) or changed (`updated`).
pub fn account_changed(tx: &mut Tx, account: &Account, change: &str) {
    let event = AccountChanged {
        account_id: account.id.0,
        change: change.to_owned(),
        name: account.name.clone(),
        status: account.status.to_string(),
        owner: account.owner.get().map(str::to_owned),
        team: account.team.clone(),
    };
    tx.record(account.version, &event);
}
