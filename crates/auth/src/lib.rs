//! Who is calling and what they may do.
//!
//! The gateway signs access tokens ([`Signer`]); it and every service verify them ([`Verifier`]) with public
//! keys from a file. Nothing trusts the network, and no service asks another one who a caller is.

mod caller;
mod file;
mod key_set;
mod keys;
mod permission;
mod refresh;
mod signer;
mod verifier;

pub use caller::{Caller, Claims, Reach};
pub use jsonwebtoken::errors::Error as SignError;
pub use keys::{KeyError, Keys};
pub use permission::{Access, Module, Permission, Requires, Role, grants, require};
pub use refresh::Refresh;
pub use signer::Signer;
pub use verifier::{TokenError, Verifier};
