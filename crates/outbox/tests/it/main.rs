//! Outbox and inbox on a real PostgreSQL and a real RabbitMQ.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod erasure;
mod idempotency;
mod inbox;
mod operations;
mod properties;
mod relay;
mod sharing;
mod system;
