use bhiv_outbox::{Command, Fault, Tx};

use super::change_subscription::{NoSubscription, OneOf};
use crate::store::{subscription, webhook};

/// Somebody does not want to be told any more: the subscription goes, with what was not delivered.
#[derive(Debug)]
pub struct Unsubscribe(pub OneOf);

impl Command for Unsubscribe {
    type Output = ();
    type Refusal = NoSubscription;

    async fn run(&self, tx: &mut Tx) -> Result<(), Fault<NoSubscription>> {
        let before = self.0.lock(tx).await?;
        subscription::delete(tx.conn(), before.id).await?;
        webhook::forget_subscription(tx.conn(), before.id).await?;
        tx.audit("subscription.delete", format!("subscription/{}", before.id), Some(&before), None);
        Ok(())
    }
}
