use bhiv_outbox::{Command, Fault, Refusal, Tx};
use uuid::Uuid;

use crate::domain::webhook::SubscriptionChange;
use crate::store::subscription::{self, Subscription};

/// Somebody changes a subscription.
#[derive(Debug)]
pub struct ChangeSubscription {
    /// Which one.
    pub of: OneOf,
    /// What changes.
    pub change: SubscriptionChange,
}

/// A subscription as somebody sees it.
#[derive(Clone, Debug)]
pub struct OneOf {
    /// Whose it has to be; anybody's for an administrator.
    pub owner: Option<String>,
    /// Its id.
    pub id: Uuid,
}

/// There is no such subscription, or it belongs to somebody else, which is not told.
#[derive(Debug, thiserror::Error)]
#[error("subscription/{0}")]
pub struct NoSubscription(pub Uuid);

impl Refusal for NoSubscription {}

impl OneOf {
    /// Whether they see it.
    pub fn is(&self, subscription: &Subscription) -> bool {
        self.owner.as_ref().is_none_or(|owner| *owner == subscription.owner)
    }

    /// The subscription, locked until the end of the transaction.
    pub async fn lock(&self, tx: &mut Tx) -> Result<Subscription, Fault<NoSubscription>> {
        let found = subscription::lock(tx.conn(), self.id).await?;
        Ok(found.filter(|found| self.is(found)).ok_or(NoSubscription(self.id))?)
    }
}

impl Command for ChangeSubscription {
    type Output = Subscription;
    type Refusal = NoSubscription;

    async fn run(&self, tx: &mut Tx) -> Result<Subscription, Fault<NoSubscription>> {
        let before = self.of.lock(tx).await?;
        let SubscriptionChange { callback_url, event_types, description, enabled } = self.change.clone();
        let mut after = before.clone();
        if let Some(url) = callback_url {
            after.callback_url = url.into();
        }
        if let Some(types) = event_types {
            after.event_types = types.into_iter().map(String::from).collect();
        }
        description.apply(&mut after.description);
        if let Some(enabled) = enabled.filter(|enabled| *enabled != before.enabled) {
            after.enabled = enabled;
            after.disabled_because = (!enabled).then(|| "owner".to_owned());
            // It gets the whole time to prove itself again.
            after.failing_since = None;
        }
        if after == before {
            return Ok(before);
        }
        after.version += 1;
        after.updated_at = tx.now();
        subscription::update(tx.conn(), &after).await?;
        tx.audit("subscription.update", format!("subscription/{}", after.id), Some(&before), Some(&after));
        Ok(after)
    }
}
