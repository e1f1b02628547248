use bhiv_outbox::{Command, Fault, Tx};

use super::change_subscription::{NoSubscription, OneOf};
use super::subscribe::WithSecret;
use crate::domain::webhook::ROTATION;
use crate::store::subscription;

/// Somebody replaces the secret of a subscription. For a day webhooks are signed with the old one as well.
pub struct RotateSecret {
    /// Of which one.
    pub of: OneOf,
    /// What to sign with from now on.
    pub secret: String,
}

impl Command for RotateSecret {
    type Output = WithSecret;
    type Refusal = NoSubscription;

    async fn run(&self, tx: &mut Tx) -> Result<WithSecret, Fault<NoSubscription>> {
        let before = self.of.lock(tx).await?;
        let mut after = before.clone();
        after.version += 1;
        after.updated_at = tx.now();
        subscription::update(tx.conn(), &after).await?;
        let until = tx.now() + ROTATION;
        subscription::replace_secret(tx.conn(), after.id, &self.secret, until).await?;
        let entity = format!("subscription/{}", after.id);
        tx.audit("subscription.rotate_secret", entity, Some(&before), Some(&after));
        Ok(WithSecret { subscription: after, secret: self.secret.clone() })
    }
}
