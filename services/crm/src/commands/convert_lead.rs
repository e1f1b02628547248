use bhiv_outbox::{Command, Fault, Refusal, Tx};
use bhiv_types::{IllegalTransition, State as _};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::By;
use super::create_account::{CreateAccount, CreateAccountError};
use super::create_contact::{CreateContact, CreateContactError};
use super::create_opportunity::{CreateOpportunity, CreateOpportunityError};
use crate::domain::account::{AccountType, NewAccount};
use crate::domain::contact::NewContact;
use crate::domain::conversion::{Conversion, OnDuplicates};
use crate::domain::ids::{AccountId, ContactId, LeadId};
use crate::domain::lead::LeadStatus;
use crate::domain::opportunity::NewOpportunity;
use crate::events;
use crate::store::Owned as _;
use crate::store::account::{self, Account};
use crate::store::contact::{self, Contact};
use crate::store::lead::{self, Lead};
use crate::store::opportunity::Opportunity;

/// A lead becomes a customer: an account, a contact there and, if it is known, what may come of it.
#[derive(Debug)]
pub struct ConvertLead {
    /// Which lead.
    pub id: LeadId,
    /// What it becomes.
    pub conversion: Conversion,
    /// Who says so.
    pub by: By,
}

/// What a lead became.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Converted {
    /// The lead.
    pub lead: Lead,
    /// The customer's account.
    pub account: Account,
    /// The person there.
    pub contact: Contact,
    /// What may come of it.
    pub opportunity: Option<Opportunity>,
}

/// A record that looks like one that a conversion would make.
#[derive(Clone, Debug, Serialize)]
pub struct Alike {
    /// For example `account/0190...`.
    pub entity: String,
    /// What it is called.
    pub name: String,
    /// What it has in common: `name`, `email`, `phone`.
    pub reason: &'static str,
}

/// Why a lead stays a lead.
#[derive(Debug, thiserror::Error)]
pub enum ConvertLeadError {
    #[error("there is no lead {0}")]
    NotFound(LeadId),
    #[error(transparent)]
    Status(#[from] IllegalTransition),
    #[error("there is no account {0}")]
    NoAccount(AccountId),
    #[error("there is no contact {0}")]
    NoContact(ContactId),
    #[error("{} looks like it; name it in the request, or say that duplicates are allowed", .0.first().map_or("another one", |it| it.entity.as_str()))]
    Duplicates(Vec<Alike>),
    #[error(transparent)]
    Account(#[from] CreateAccountError),
    #[error(transparent)]
    Contact(#[from] CreateContactError),
    #[error(transparent)]
    Opportunity(#[from] CreateOpportunityError),
}

impl Refusal for ConvertLeadError {}

impl Command for ConvertLead {
    type Output = Converted;
    type Refusal = ConvertLeadError;

    async fn run(&self, tx: &mut Tx) -> Result<Converted, Fault<ConvertLeadError>> {
        let before = lead::lock(tx.conn(), self.id).await?.and_then(|lead| lead.within(&self.by.reach));
        let before = before.ok_or(ConvertLeadError::NotFound(self.id))?;
        let status = before.status.become_(LeadStatus::Converted).map_err(ConvertLeadError::from)?;
        if self.conversion.duplicates == OnDuplicates::Refuse {
            let alike = self.alike(tx, &before).await?;
            if !alike.is_empty() {
                return Err(ConvertLeadError::Duplicates(alike).into());
            }
        }
        tx.continue_story(before.correlation_id);
        let account = self.account(tx, &before).await?;
        let contact = self.contact(tx, &before, account.id).await?;
        let mut after = before.clone();
        after.status = status;
        after.version += 1;
        after.updated_at = tx.now();
        lead::update(tx.conn(), &after).await?;
        let opportunity = self.opportunity(tx, &after, &account, &contact).await?;
        events::lead_converted(tx, &after, account.id, contact.id, opportunity.as_ref().map(|it| it.id));
        let entity = format!("lead/{}", after.id);
        tx.change("lead.convert", entity, after.version, Some(&before), Some(&after));
        Ok(Converted { lead: after, account, contact, opportunity })
    }
}

impl ConvertLead {
    fn account_name(&self, lead: &Lead) -> String {
        let name = self.conversion.account_name.clone();
        name.or_else(|| lead.company.clone()).unwrap_or_else(|| lead.name.clone())
    }

    /// Accounts and contacts that look like those that would be made.
    async fn alike(&self, tx: &mut Tx, lead: &Lead) -> Result<Vec<Alike>, bhiv_db::DieselError> {
        let mut alike = Vec::new();
        if self.conversion.account_id.is_none() {
            for account in account::named(tx.conn(), &self.account_name(lead)).await? {
                let entity = format!("account/{}", account.id);
                alike.push(Alike { entity, name: account.name, reason: "name" });
            }
        }
        if self.conversion.contact_id.is_none() {
            for contact in contact::reached_by(tx.conn(), &lead.email, lead.phone.as_deref()).await? {
                let entity = format!("contact/{}", contact.id);
                let reason = if contact.email.as_ref() == Some(&lead.email) { "email" } else { "phone" };
                alike.push(Alike { entity, name: contact.name, reason });
            }
        }
        Ok(alike)
    }

    async fn account(&self, tx: &mut Tx, lead: &Lead) -> Result<Account, Fault<ConvertLeadError>> {
        if let Some(id) = self.conversion.account_id {
            let account = account::find(tx.conn(), id).await?;
            let account = account.and_then(|account| account.within(&self.by.reach));
            return Ok(account.ok_or(ConvertLeadError::NoAccount(id))?);
        }
        let new = NewAccount {
            name: self.account_name(lead),
            r#type: AccountType::Customer,
            owner: lead.owner.get().map(str::to_owned),
            team: lead.team.clone(),
            ..NewAccount::default()
        };
        CreateAccount { new, by: self.by.clone() }.run(tx).await.map_err(within)
    }

    async fn contact(
        &self,
        tx: &mut Tx,
        lead: &Lead,
        account_id: AccountId,
    ) -> Result<Contact, Fault<ConvertLeadError>> {
        if let Some(id) = self.conversion.contact_id {
            let contact = contact::find(tx.conn(), id).await?;
            let contact = contact.and_then(|contact| contact.within(&self.by.reach));
            return Ok(contact.ok_or(ConvertLeadError::NoContact(id))?);
        }
        let new = NewContact {
            name: lead.name.clone(),
            email: Some(lead.email.clone()),
            phone: lead.phone.clone(),
            title: None,
            account_id: Some(account_id),
            do_not_contact: false,
            owner: lead.owner.get().map(str::to_owned),
            team: lead.team.clone(),
        };
        let create = CreateContact { new, lead_id: Some(lead.id), by: self.by.clone() };
        create.run(tx).await.map_err(within)
    }

    async fn opportunity(
        &self,
        tx: &mut Tx,
        lead: &Lead,
        account: &Account,
        contact: &Contact,
    ) -> Result<Option<Opportunity>, Fault<ConvertLeadError>> {
        let Some(prospect) = self.conversion.opportunity.clone() else { return Ok(None) };
        let new = NewOpportunity {
            lead_id: lead.id,
            value: prospect.value,
            currency: prospect.currency,
            stage: prospect.stage,
            probability: prospect.probability,
            expected_close_date: prospect.expected_close_date,
            name: prospect.name,
            account_id: Some(account.id),
            contact_id: Some(contact.id),
            owner: None,
            team: None,
        };
        CreateOpportunity { new, by: self.by.clone() }.run(tx).await.map(Some).map_err(within)
    }
}

/// The refusal of a part is that of the whole.
fn within<R: Into<ConvertLeadError>>(fault: Fault<R>) -> Fault<ConvertLeadError> {
    match fault {
        Fault::Refused(refusal) => Fault::Refused(refusal.into()),
        Fault::KeyReused => Fault::KeyReused,
        Fault::InFlight => Fault::InFlight,
        Fault::Database(error) => Fault::Database(error),
    }
}
