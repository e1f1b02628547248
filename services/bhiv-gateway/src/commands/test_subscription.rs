use bhiv_events::{Event, Producer, dataschema};
use bhiv_outbox::{Command, Fault, Refusal, Tx};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use super::change_subscription::{NoSubscription, OneOf};
use crate::domain::webhook::TEST_EVENT;
use crate::store::webhook::{self, NewDelivery};

/// Somebody wants to see whether events arrive: an event for this subscription alone.
#[derive(Debug)]
pub struct TestSubscription(pub OneOf);

/// What is sent.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct TestSent {
    /// Id of the `webhook_test` event, which the receiver sees as `webhook-id`; see the log of deliveries.
    pub event_id: Uuid,
}

/// Why nothing is sent.
#[derive(Debug, thiserror::Error)]
pub enum TestSubscriptionError {
    #[error(transparent)]
    NotFound(#[from] NoSubscription),
    #[error("the subscription is not enabled")]
    Disabled,
}

impl Refusal for TestSubscriptionError {}

impl Command for TestSubscription {
    type Output = TestSent;
    type Refusal = TestSubscriptionError;

    async fn run(&self, tx: &mut Tx) -> Result<TestSent, Fault<TestSubscriptionError>> {
        let subscription = self.0.lock(tx).await.map_err(|fault| match fault {
            Fault::Refused(refusal) => Fault::Refused(refusal.into()),
            Fault::Database(error) => Fault::Database(error),
            Fault::KeyReused => Fault::KeyReused,
            Fault::InFlight => Fault::InFlight,
        })?;
        if !subscription.enabled {
            return Err(TestSubscriptionError::Disabled.into());
        }
        let type_ = "bhiv.core.webhook.test.v1";
        let event = Event {
            specversion: "1.0".to_owned(),
            id: tx.id(),
            source: Producer::Core.source().to_owned(),
            type_: type_.to_owned(),
            subject: format!("subscription/{}", subscription.id),
            time: tx.now(),
            dataschema: dataschema(type_),
            datacontenttype: "application/json".to_owned(),
            correlationid: tx.correlation(),
            causationid: None,
            sequence: 1,
            actor: tx.actor().to_owned(),
            traceparent: None,
            data: json!({"subscription_id": subscription.id}),
        };
        let text = serde_json::to_value(&event).unwrap_or_default();
        let delivery = NewDelivery {
            subscription_id: subscription.id,
            event_id: event.id,
            event_type: TEST_EVENT.to_owned(),
            module: Producer::Core.prefix(),
            event: &text,
        };
        let now = tx.now();
        webhook::enqueue(tx.conn(), &[delivery], now).await?;
        tx.audit("subscription.test", event.subject, None, None);
        Ok(TestSent { event_id: event.id })
    }
}
