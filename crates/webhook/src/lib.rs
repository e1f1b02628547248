//! Webhooks as Standard Webhooks 1.0 has them: an address that somebody gave is sent what happened, signed, and again
//! when it does not answer; addresses that are not of the public internet are not sent to unless an operator says so.
//!
//! Nothing about tables: whoever sends keeps what is due, and asks [`judge`] what an attempt came to.

mod callback;
mod retry;
mod sender;
mod settings;
mod signature;

pub use callback::{CallbackUrl, Targets};
pub use retry::{Verdict, judge};
pub use sender::{Answer, Parcel, Sender};
pub use settings::Settings;
pub use signature::{secret, signatures};
