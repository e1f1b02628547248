//! What the gateway itself can be asked to do, each inside the transaction that it is given.

pub mod change_password;
pub mod ensure_admin;
pub mod make_api_key;
pub mod note_denials;
pub mod note_session;
pub mod patch_user;
pub mod receive_unified;
pub mod register_user;
pub mod revoke_api_key;
