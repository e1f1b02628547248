use bhiv_events::logistics::OrderCreated;
use bhiv_outbox::{Command, Fault, Tx};

use super::By;
use super::create_account::{CreateAccount, CreateAccountError};
use super::note_activity::note_activity;
use crate::domain::account::{AccountStatus, AccountType, NewAccount};
use crate::store::{account, order_link};

/// Links an order to what it came from: its opportunity; or, without one, the account of its customer, which
/// is opened if there is none.
#[derive(Debug)]
pub struct LinkOrder(pub OrderCreated);

impl Command for LinkOrder {
    type Output = ();
    type Refusal = CreateAccountError;

    async fn run(&self, tx: &mut Tx) -> Result<(), Fault<CreateAccountError>> {
        let order = &self.0;
        let entity = if let Some(opportunity_id) = order.opportunity_id {
            format!("opportunity/{opportunity_id}")
        } else {
            let known = account::of_customer(tx.conn(), &order.customer_id).await?;
            let account = match known {
                Some(account) => account,
                None => CreateAccount { new: customer(&order.customer_id), by: By::itself() }.run(tx).await?,
            };
            format!("account/{}", account.id)
        };
        order_link::lock(tx.conn(), order.order_id).await?;
        order_link::link(tx.conn(), order.order_id, &entity).await?;
        let summary = format!("order/{} over {} {}", order.order_id, order.total, order.currency);
        note_activity(tx, entity, "order", summary).await?;
        Ok(())
    }
}

fn customer(customer_id: &str) -> NewAccount {
    NewAccount {
        name: customer_id.to_owned(),
        r#type: AccountType::Customer,
        status: AccountStatus::Active,
        customer_id: Some(customer_id.to_owned()),
        ..NewAccount::default()
    }
}
