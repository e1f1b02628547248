use bhiv_db::Error;
use bhiv_outbox::{Command, Fault, Refusal, Tx};

use super::By;
use crate::domain::account::NewAccount;
use crate::domain::ids::AccountId;
use crate::events;
use crate::store::Owned as _;
use crate::store::account::{self, Account};

/// Opens an account.
#[derive(Debug)]
pub struct CreateAccount {
    /// What is known of it.
    pub new: NewAccount,
    /// Who opens it.
    pub by: By,
}

/// Why an account is not opened.
#[derive(Debug, thiserror::Error)]
pub enum CreateAccountError {
    #[error("there is no account {0}")]
    NoParent(AccountId),
    #[error("another account has this customer id")]
    CustomerIdTaken,
}

impl Refusal for CreateAccountError {}

impl Command for CreateAccount {
    type Output = Account;
    type Refusal = CreateAccountError;

    async fn run(&self, tx: &mut Tx) -> Result<Account, Fault<CreateAccountError>> {
        let new = self.new.clone();
        if let Some(parent_id) = new.parent_id {
            let parent = account::find(tx.conn(), parent_id).await?;
            let parent = parent.and_then(|parent| parent.within(&self.by.reach));
            parent.ok_or(CreateAccountError::NoParent(parent_id))?;
        }
        let (owner, team) = self.by.owning(tx, new.owner, new.team);
        let account = Account {
            id: tx.id().into(),
            version: 1,
            correlation_id: tx.correlation(),
            name: new.name,
            r#type: new.r#type,
            status: new.status,
            territory: new.territory,
            parent_id: new.parent_id,
            customer_id: new.customer_id,
            website: new.website,
            owner,
            team,
            created_at: tx.now(),
            updated_at: tx.now(),
        };
        account::insert(tx.conn(), &account).await.map_err(|error| {
            let error = Error::from(error);
            if error.is_constraint("accounts_customer") {
                Fault::Refused(CreateAccountError::CustomerIdTaken)
            } else {
                Fault::Database(error)
            }
        })?;
        events::account_changed(tx, &account, "created");
        tx.change("account.create", format!("account/{}", account.id), 1, None, Some(&account));
        Ok(account)
    }
}
