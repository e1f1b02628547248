//! What the gateway itself can be asked to do, each inside the transaction that it is given.

pub mod change_password;
pub mod change_subscription;
pub mod ensure_admin;
pub mod erase_person;
pub mod make_api_key;
pub mod note_consent;
pub mod note_denials;
pub mod note_outcome;
pub mod note_session;
pub mod patch_user;
pub mod publish_event;
pub mod receive_unified;
pub mod record_attempt;
pub mod register_agent;
pub mod register_user;
pub mod remove_agent;
pub mod revoke_api_key;
pub mod rotate_secret;
pub mod subscribe;
pub mod test_subscription;
pub mod unsubscribe;
