//! What operators' tools ask and tell the tables of a service: what waits, what is parked, trying it again at
//! once, and an audit row of everything that an operator does.

mod audit;
mod hold;
mod parked;
mod status;

pub use audit::{Action, RecordActions};
pub use hold::{Hold, hold};
pub use parked::{ParkedIn, ParkedOut, Retried, Retry, parked_in, parked_out};
pub use status::{Leader, MOST_WAITING, Status, is_set_up, status};
