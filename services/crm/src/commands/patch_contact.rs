use bhiv_outbox::{Command, Fault, Refusal, Tx};
use bhiv_types::Patch;

use super::{By, changed_fields, hand_over};
use crate::domain::contact::ContactChange;
use crate::domain::ids::{AccountId, ContactId};
use crate::store::contact::{self, Contact};
use crate::store::{Owned as _, account};

/// Changes fields of a contact.
#[derive(Debug)]
pub struct PatchContact {
    /// Which contact.
    pub id: ContactId,
    /// What changes.
    pub change: ContactChange,
    /// Who changes it.
    pub by: By,
}

/// Why a contact stays as it is.
#[derive(Debug, thiserror::Error)]
pub enum PatchContactError {
    #[error("there is no contact {0}")]
    NotFound(ContactId),
    #[error("there is no account {0}")]
    NoAccount(AccountId),
}

impl Refusal for PatchContactError {}

impl Command for PatchContact {
    type Output = Contact;
    type Refusal = PatchContactError;

    async fn run(&self, tx: &mut Tx) -> Result<Contact, Fault<PatchContactError>> {
        let before = contact::lock(tx.conn(), self.id).await?;
        let before = before.and_then(|contact| contact.within(&self.by.reach));
        let before = before.ok_or(PatchContactError::NotFound(self.id))?;
        if let Patch::Set(id) = self.change.account_id {
            let account = account::find(tx.conn(), id).await?;
            let account = account.and_then(|account| account.within(&self.by.reach));
            account.ok_or(PatchContactError::NoAccount(id))?;
        }
        let mut after = before.clone();
        apply(self.change.clone(), &mut after);
        if changed_fields(&before, &after).is_empty() {
            return Ok(before);
        }
        after.version += 1;
        after.updated_at = tx.now();
        contact::update(tx.conn(), &after).await?;
        tx.continue_story(after.correlation_id);
        let entity = format!("contact/{}", after.id);
        tx.change("contact.update", entity, after.version, Some(&before), Some(&after));
        Ok(after)
    }
}

fn apply(change: ContactChange, contact: &mut Contact) {
    let ContactChange { name, email, phone, title, account_id, do_not_contact, owner, team } = change;
    if let Some(name) = name {
        contact.name = name;
    }
    if let Some(do_not_contact) = do_not_contact {
        contact.do_not_contact = do_not_contact;
    }
    email.apply(&mut contact.email);
    phone.apply(&mut contact.phone);
    title.apply(&mut contact.title);
    account_id.apply(&mut contact.account_id);
    hand_over(owner, team, (&mut contact.owner, &mut contact.team));
}
