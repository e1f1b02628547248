use bhiv_db::Error;
use bhiv_outbox::{Command, Fault, Refusal, Tx};
use bhiv_types::Patch;

use super::{By, changed_fields, hand_over};
use crate::domain::account::AccountChange;
use crate::domain::ids::AccountId;
use crate::events;
use crate::store::Owned as _;
use crate::store::account::{self, Account};

/// How deep accounts may belong to each other.
const DEEPEST: usize = 16;

/// Changes fields of an account.
#[derive(Debug)]
pub struct PatchAccount {
    /// Which account.
    pub id: AccountId,
    /// What changes.
    pub change: AccountChange,
    /// Who changes it.
    pub by: By,
}

/// Why an account stays as it is.
#[derive(Debug, thiserror::Error)]
pub enum PatchAccountError {
    #[error("there is no account {0}")]
    NotFound(AccountId),
    #[error("there is no account {0} that it could belong to")]
    NoParent(AccountId),
    #[error("an account does not belong to itself: {}", chain(.0))]
    OwnParent(Vec<AccountId>),
    #[error("accounts belong to each other {0} deep at most")]
    TooDeep(usize),
    #[error("another account has this customer id")]
    CustomerIdTaken,
}

impl Refusal for PatchAccountError {}

impl Command for PatchAccount {
    type Output = Account;
    type Refusal = PatchAccountError;

    fn is_alone(&self) -> bool {
        matches!(self.change.parent_id, Patch::Set(_))
    }

    async fn run(&self, tx: &mut Tx) -> Result<Account, Fault<PatchAccountError>> {
        let before = account::lock(tx.conn(), self.id).await?;
        let before = before.and_then(|account| account.within(&self.by.reach));
        let before = before.ok_or(PatchAccountError::NotFound(self.id))?;
        if let Patch::Set(parent_id) = self.change.parent_id {
            let parent = account::find(tx.conn(), parent_id).await?;
            let parent = parent.and_then(|parent| parent.within(&self.by.reach));
            parent.ok_or(PatchAccountError::NoParent(parent_id))?;
            let line = account::line(tx.conn(), parent_id, DEEPEST).await?;
            if line.contains(&self.id) {
                return Err(PatchAccountError::OwnParent(line).into());
            }
            if line.len() > DEEPEST {
                return Err(PatchAccountError::TooDeep(DEEPEST).into());
            }
        }
        let mut after = before.clone();
        apply(self.change.clone(), &mut after);
        if changed_fields(&before, &after).is_empty() {
            return Ok(before);
        }
        after.version += 1;
        after.updated_at = tx.now();
        account::update(tx.conn(), &after).await.map_err(|error| {
            let error = Error::from(error);
            if error.is_constraint("accounts_customer") {
                Fault::Refused(PatchAccountError::CustomerIdTaken)
            } else {
                Fault::Database(error)
            }
        })?;
        tx.continue_story(after.correlation_id);
        events::account_changed(tx, &after, "updated");
        tx.change(
            "account.update",
            format!("account/{}", after.id),
            after.version,
            Some(&before),
            Some(&after),
        );
        Ok(after)
    }
}

fn chain(line: &[AccountId]) -> String {
    line.iter().map(|id| format!("account/{id}")).collect::<Vec<_>>().join(" belongs to ")
}

fn apply(change: AccountChange, account: &mut Account) {
    let AccountChange { name, r#type, status, territory, parent_id, customer_id, .. } = change;
    if let Some(name) = name {
        account.name = name;
    }
    if let Some(r#type) = r#type {
        account.r#type = r#type;
    }
    if let Some(status) = status {
        account.status = status;
    }
    territory.apply(&mut account.territory);
    parent_id.apply(&mut account.parent_id);
    customer_id.apply(&mut account.customer_id);
    change.website.apply(&mut account.website);
    hand_over(change.owner, change.team, (&mut account.owner, &mut account.team));
}
