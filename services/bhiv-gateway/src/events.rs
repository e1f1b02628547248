//! What the gateway tells others: the only place where its events are built.

use bhiv_events::core::{AccessDenied, CustomPublished, UnifiedReceived, UserChanged};
use bhiv_outbox::Tx;
use uuid::Uuid;

use crate::domain::custom::NewCustom;
use crate::store::unified::Unified;
use crate::store::user::User;

/// A client reported something. Answers the event's id.
pub fn unified_received(tx: &mut Tx, unified: &Unified) -> Uuid {
    let event = UnifiedReceived {
        unified_id: unified.id,
        task_id: unified.task_id.clone(),
        user_id: unified.user_id.clone(),
        event_type: unified.event_type.clone(),
        consent_flag: unified.consent_flag,
        rl_score: unified.rl_score,
        timestamp: unified.timestamp,
        metadata: unified.metadata.as_object().cloned().unwrap_or_default(),
    };
    tx.record(1, &event)
}

/// A client published an event of its own kind. Answers the event's id.
pub fn custom_published(tx: &mut Tx, custom_id: Uuid, custom: &NewCustom) -> Uuid {
    let event = CustomPublished {
        custom_id,
        event_type: custom.event_type.name().to_owned(),
        priority: custom.priority.to_string(),
        payload: custom.payload.clone(),
    };
    tx.record(1, &event)
}

/// A user registered (`registered`) or was changed (`updated`).
pub fn user_changed(tx: &mut Tx, user: &User, change: &str) {
    let event = UserChanged { user_id: user.id, change: change.to_owned(), roles: user.roles.clone() };
    tx.record(user.version, &event);
}

/// A request was refused.
pub fn access_denied(tx: &mut Tx, denied: &AccessDenied) {
    tx.record(1, denied);
}
