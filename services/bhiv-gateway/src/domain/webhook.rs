//! Webhooks as Standard Webhooks 1.0 has them: signatures, when to try again, when to stop.

use bhiv_types::Patch;
use bhiv_webhook::CallbackUrl;
use chrono::TimeDelta;
use serde::Deserialize;
use utoipa::ToSchema;

use super::event_type::EventType;

/// Public name of the event that tests a subscription.
pub const TEST_EVENT: &str = "webhook_test";

/// How long a secret is signed with after it was replaced.
pub const ROTATION: TimeDelta = TimeDelta::hours(24);

/// Who wants to be told of what, and where.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewSubscription {
    /// Where.
    pub callback_url: CallbackUrl,
    /// Of which events; of every one that the subscriber may see, unless it names some.
    #[serde(default)]
    #[schema(max_items = 100)]
    pub event_types: Vec<EventType>,
    /// What it is for.
    #[schema(min_length = 1, max_length = 500)]
    pub description: Option<String>,
}

/// What may be changed about a subscription.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SubscriptionChange {
    /// Where events are sent.
    pub callback_url: Option<CallbackUrl>,
    /// Which ones; every one if it names none.
    #[schema(max_items = 100)]
    pub event_types: Option<Vec<EventType>>,
    /// What it is for; null for nothing in particular.
    #[serde(default)]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 500)]
    pub description: Patch<String>,
    /// Whether events are sent. Those that happen while they are not are not sent later either.
    pub enabled: Option<bool>,
}
