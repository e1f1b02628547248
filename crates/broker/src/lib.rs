//! RabbitMQ for one service. It knows messages and queues, and nothing about tables.
//!
//! - [`topology`]: which exchanges, queues and users a service needs, and declaring them as an administrator.
//! - [`Connector`]: a connection that comes back by itself, without limit.
//! - [`Publisher`]: publishes batches with confirms and says of each message what became of it. Only the
//!   outbox relay and operators' tools own one: whatever else is published could be lost in a crash.
//! - [`Deliveries`]: the messages of one queue, in batches.
//! - [`dead_letters`]: what was given up on, for operators.
//! - [`Tail`]: a copy of what is published, for operators.
//! - [`wire`]: how an event travels.

mod backoff;
mod connector;
#[doc(hidden)]
pub mod crash;
pub mod dead_letters;
mod deliveries;
mod message;
mod publisher;
mod tail;
pub mod topology;
pub mod wire;

pub use backoff::Backoff;
pub use connector::{Connector, State};
pub use deliveries::{Deliveries, Delivery, Pace};
pub use message::{Headers, Message};
pub use publisher::{Fate, Publisher};
pub use tail::Tail;

/// Why something could not be done with the broker.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// What the client library or the broker said.
    #[error(transparent)]
    Amqp(#[from] lapin::Error),
    /// The consumer or its channel ended; it has to be opened again.
    #[error("the subscription to {0} ended")]
    Ended(String),
    /// The broker did not answer in time.
    #[error("the broker did not answer within {0:?}")]
    Silent(std::time::Duration),
    /// There is no such queue.
    #[error("there is no queue {0}: its service was never set up here")]
    Missing(String),
    /// Somebody else holds the queue's messages.
    #[error("somebody else reads {0}: try again when they are done (20 s after a lost connection)")]
    Busy(String),
}
