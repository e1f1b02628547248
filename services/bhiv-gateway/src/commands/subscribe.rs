use bhiv_outbox::{Command, Fault, Refusal, Tx};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::domain::webhook::NewSubscription;
use crate::store::subscription::{self, Owner, Subscription};

/// Somebody wants to be told of events.
pub struct Subscribe {
    /// Who.
    pub owner: Owner,
    /// Of which, and where.
    pub new: NewSubscription,
    /// What to sign with.
    pub secret: String,
    /// Subscriptions that they may have.
    pub most: i64,
}

/// A subscription with its secret. Nothing else shows it, and it goes into no event and no audit row.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
pub struct WithSecret {
    #[serde(flatten)]
    pub subscription: Subscription,
    /// What webhooks are signed with. It is shown only now.
    pub secret: String,
}

/// Why somebody cannot subscribe.
#[derive(Debug, thiserror::Error)]
pub enum SubscribeError {
    #[error("you have {0} subscriptions, which is as many as you may have")]
    TooMany(i64),
}

impl Refusal for SubscribeError {}

impl Command for Subscribe {
    type Output = WithSecret;
    type Refusal = SubscribeError;

    async fn run(&self, tx: &mut Tx) -> Result<WithSecret, Fault<SubscribeError>> {
        subscription::lock_owner(tx.conn(), &self.owner.id).await?;
        let count = subscription::count(tx.conn(), Some(&self.owner.id)).await?;
        if count >= self.most {
            return Err(SubscribeError::TooMany(count).into());
        }
        let NewSubscription { callback_url, event_types, description } = self.new.clone();
        let subscription = Subscription {
            id: tx.id(),
            version: 1,
            owner: self.owner.id.clone(),
            callback_url: callback_url.into(),
            event_types: event_types.into_iter().map(String::from).collect(),
            description,
            enabled: true,
            disabled_because: None,
            failing_since: None,
            created_at: tx.now(),
            updated_at: tx.now(),
        };
        subscription::insert(tx.conn(), &subscription, &self.owner, &self.secret).await?;
        let entity = format!("subscription/{}", subscription.id);
        tx.audit("subscription.create", entity, None, Some(&subscription));
        Ok(WithSecret { subscription, secret: self.secret.clone() })
    }
}
