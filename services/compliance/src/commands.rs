//! What compliance can be asked to do. Each command acts inside the transaction that it is given: load,
//! decide, store, record.

pub mod begin_due_erasures;
mod begin_erasure;
pub mod cancel_erasure;
pub mod check_event;
pub mod create_notice;
pub mod expire_consents;
pub mod forget_events;
pub mod grant_consent;
pub mod hold;
pub mod make_pack;
pub mod note_application;
pub mod open_duty;
pub mod record_consent;
pub mod request_erasure;
pub mod revoke_consent;
pub mod take_answer;
pub mod work_on_duty;
pub mod write_policy;
pub mod write_purpose;
