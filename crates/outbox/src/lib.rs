//! Where tables meet the broker.
//!
//! Out: a [`Command`] acts inside a [`Tx`]; the events that it records are rows of the same transaction, and
//! the [`Relay`] publishes them afterwards, at least once, in order.
//!
//! In: [`Consumers`] hand each message to the handlers that [`Bindings`] names, inside a transaction that
//! also remembers the message's id, so that its effect happens once.
//!
//! [`history`]: what records were before their changes, for services that keep it.
//!
//! [`erasure`]: forgetting a person, for services that know of people.
//!
//! [`operations`]: what operators ask and tell the tables of a service.

mod backlog;
mod bindings;
mod command;
mod consumers;
pub mod erasure;
pub mod history;
mod housekeeping;
mod idempotency;
mod inbox;
pub mod operations;
mod relay;
mod schema;
mod stories;
mod tx;
mod wake;

pub use backlog::measure_backlog;
pub use bindings::{Bindings, Failure, Handle, HandleAll, HandleAny, Order};
pub use command::{Command, Fault, Refusal, Transactor};
pub use consumers::Consumers;
pub use erasure::{Column, ERASURE, Erasure};
pub use history::HISTORY;
pub use housekeeping::housekeeping;
pub use idempotency::Idempotency;
pub use inbox::{Outcome, Processor};
pub use relay::{Relay, RelayState};
pub use tx::{Origin, Tx};
pub use wake::Wake;

/// The tables that this crate needs in each service's schema.
pub const MIGRATIONS: diesel_migrations::EmbeddedMigrations = diesel_migrations::embed_migrations!();
