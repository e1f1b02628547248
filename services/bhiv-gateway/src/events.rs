//! What the gateway tells others: the only place where its events are built.

use bhiv_events::core::{AccessDenied, UnifiedReceived, UserChanged};
use bhiv_outbox::Tx;
use uuid::Uuid;

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

/// A user registered (`registered`) or was changed (`updated`).
pub fn user_changed(tx: &mut Tx, user: &User, change: &str) {
    let event = UserChanged { user_id: user.id, change: change.to_owned(), roles: user.roles.clone() };
    tx.record(user.version, &event);
}

/// A request was refused.
pub fn access_denied(tx: &mut Tx, denied: &AccessDenied) {
    tx.record(1, denied);
}
