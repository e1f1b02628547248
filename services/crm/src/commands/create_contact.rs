use bhiv_outbox::{Command, Fault, Refusal, Tx};

use super::By;
use crate::domain::contact::NewContact;
use crate::domain::ids::{AccountId, LeadId};
use crate::store::contact::{self, Contact};
use crate::store::{Owned as _, account};

/// A person becomes a contact.
#[derive(Debug)]
pub struct CreateContact {
    /// What is known of them.
    pub new: NewContact,
    /// The lead that they were.
    pub lead_id: Option<LeadId>,
    /// Who says so.
    pub by: By,
}

/// Why they do not.
#[derive(Debug, thiserror::Error)]
pub enum CreateContactError {
    #[error("there is no account {0}")]
    NoAccount(AccountId),
}

impl Refusal for CreateContactError {}

impl Command for CreateContact {
    type Output = Contact;
    type Refusal = CreateContactError;

    async fn run(&self, tx: &mut Tx) -> Result<Contact, Fault<CreateContactError>> {
        let new = self.new.clone();
        if let Some(id) = new.account_id {
            let account = account::find(tx.conn(), id).await?;
            let account = account.and_then(|account| account.within(&self.by.reach));
            account.ok_or(CreateContactError::NoAccount(id))?;
        }
        let (owner, team) = self.by.owning(tx, new.owner, new.team);
        let contact = Contact {
            id: tx.id().into(),
            version: 1,
            correlation_id: tx.correlation(),
            name: new.name,
            email: new.email,
            phone: new.phone,
            title: new.title,
            account_id: new.account_id,
            lead_id: self.lead_id,
            do_not_contact: new.do_not_contact,
            owner,
            team,
            created_at: tx.now(),
            updated_at: tx.now(),
        };
        contact::insert(tx.conn(), &contact).await?;
        tx.change("contact.create", format!("contact/{}", contact.id), 1, None, Some(&contact));
        Ok(contact)
    }
}
