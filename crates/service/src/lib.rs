//! Runs a service: HTTP, consumers, relay and jobs under one roof, from start to drain.
//!
//! A service is a type that implements [`Service`]; its `main.rs` is one call of [`main`].

mod app;
mod command_line;
mod context;
mod healthy;
mod reading;
mod repeat;
mod run;
mod setup;
mod work;

pub use app::{App, Guarded, Service};
pub use command_line::main;
pub use context::Context;
pub use reading::{READ, STANDBY};
pub use repeat::repeat;
pub use run::serve;

/// Many small rows and headers live as long as one request: the C library's allocator spends several times as long on
/// them.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// Why a service cannot start or be set up. Printed for its operator.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Telemetry.
    #[error(transparent)]
    Telemetry(#[from] bhiv_telemetry::Error),
    /// Keys.
    #[error(transparent)]
    Keys(#[from] bhiv_auth::KeyError),
    /// Database.
    #[error("database: {0}")]
    Database(#[from] bhiv_db::Error),
    /// Broker.
    #[error(transparent)]
    Broker(#[from] bhiv_broker::topology::AdminError),
    /// Listening.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// Where.
        address: std::net::SocketAddr,
        /// Why not.
        source: std::io::Error,
    },
    /// It runs, and cannot work.
    #[error("not ready: {0}")]
    NotReady(String),
    /// Something of the service's own.
    #[error("{0}")]
    Other(String),
    /// A task panicked: a mistake of ours; see the log.
    #[error("a task of the service panicked")]
    Panicked,
    /// These parts did not end in time and were cut off.
    #[error("the service did not drain in time: {0}")]
    Drain(String),
}
