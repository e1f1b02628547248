//! What every service reads from its environment.
//!
//! Each group is a clap `Args`, so that `crm run --help` lists every setting with its environment name,
//! and a missing or malformed one is refused by name before anything starts.

mod files;
mod secret;

pub use files::arguments;
pub use secret::Secret;

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;

/// What every service needs to run.
#[derive(Args, Clone, Debug)]
pub struct Common {
    #[command(flatten)]
    #[expect(missing_docs, reason = "the group documents itself")]
    pub database: Database,
    #[command(flatten)]
    #[expect(missing_docs, reason = "the group documents itself")]
    pub replica: Replica,
    #[command(flatten)]
    #[expect(missing_docs, reason = "the group documents itself")]
    pub broker: Broker,
    #[command(flatten)]
    #[expect(missing_docs, reason = "the group documents itself")]
    pub http: Http,
    #[command(flatten)]
    #[expect(missing_docs, reason = "the group documents itself")]
    pub auth: Auth,
    #[command(flatten)]
    #[expect(missing_docs, reason = "the group documents itself")]
    pub telemetry: Telemetry,
}

/// PostgreSQL, as the service's own role.
#[derive(Args, Clone, Debug)]
pub struct Database {
    /// `postgres://<role>:<password>@<host>:<port>/<database>`; the role's `search_path` is its schema.
    #[arg(long, env = "DATABASE_URL", hide_env_values = true)]
    pub database_url: Secret,
    /// Most connections that this process opens for requests and consumers. A third of them belongs to the threads that
    /// answer requests, in equal parts, for their reads.
    #[arg(long, env = "DATABASE_CONNECTIONS", default_value_t = 24)]
    pub database_connections: usize,
}

/// Standbys of PostgreSQL, for reads that may be a little old.
#[derive(Args, Clone, Debug)]
pub struct Replica {
    /// As `DATABASE_URL`, of one standby or of what balances several. Without it every read asks the primary.
    #[arg(long, env = "DATABASE_READ_URL", hide_env_values = true)]
    pub database_read_url: Option<Secret>,
    /// A standby that lacks what is older than so many milliseconds is not asked.
    #[arg(long, env = "READ_MAX_STALENESS_MS", default_value_t = 1_000)]
    pub read_max_staleness_ms: u64,
}

/// RabbitMQ, as the service's own user.
#[derive(Args, Clone, Debug)]
pub struct Broker {
    /// `amqp://<user>:<password>@<host>:<port>/<vhost>`.
    #[arg(long, env = "AMQP_URL", hide_env_values = true)]
    pub amqp_url: Secret,
}

/// Where the service listens.
#[derive(Args, Clone, Debug)]
pub struct Http {
    /// Address and port; loopback unless told otherwise.
    #[arg(long, env = "HTTP_ADDR")]
    pub http_addr: SocketAddr,
    /// Threads that answer requests.
    #[arg(long, env = "HTTP_WORKERS", default_value_t = 2)]
    pub http_workers: usize,
    /// For how long after SIGTERM requests are still taken, and told that their connection ends: longer than those who
    /// send them take to learn that the process is leaving, and than they keep idle connections.
    #[arg(long, env = "DRAIN_DELAY_MS", default_value_t = 2_000)]
    pub drain_delay_ms: u64,
}

/// How access tokens are verified.
#[derive(Args, Clone, Debug)]
pub struct Auth {
    /// File with the public keys (JWKS) of the issuer. It is read again when a token names a new key.
    #[arg(long, env = "AUTH_JWKS_FILE")]
    pub auth_jwks_file: PathBuf,
    /// The `iss` that tokens must have.
    #[arg(long, env = "AUTH_ISSUER", default_value = "bhiv-gateway")]
    pub auth_issuer: String,
    /// The `aud` that tokens must have.
    #[arg(long, env = "AUTH_AUDIENCE", default_value = "bhiv")]
    pub auth_audience: String,
}

/// Logs and traces.
#[derive(Args, Clone, Debug)]
pub struct Telemetry {
    /// What is logged, as `tracing-subscriber`'s EnvFilter reads it. The AMQP client's warnings show whole
    /// messages, which may hold what does not belong in a log.
    #[arg(long, env = "RUST_LOG", default_value = "info,lapin=error")]
    pub log: String,
    /// Part of the traces that is kept, 0 to 1. A trace that is not kept writes no line per request either,
    /// unless it is slow or fails.
    #[arg(long, env = "TRACE_RATIO", default_value_t = 1.0)]
    pub trace_ratio: f64,
    /// Where traces go over OTLP/HTTP, for example `http://127.0.0.1:4318`. Without it they stay in the logs.
    #[arg(long, env = "OTEL_EXPORTER_OTLP_ENDPOINT")]
    pub otlp_endpoint: Option<String>,
}

/// What `setup` needs beyond the service's own settings: administrators' credentials.
#[derive(Args, Clone, Debug)]
pub struct Admin {
    /// PostgreSQL as an administrator, in the database that the services share.
    #[arg(long, env = "DATABASE_ADMIN_URL", hide_env_values = true)]
    pub database_admin_url: Secret,
    /// RabbitMQ's management API as an administrator: `http://<user>:<password>@<host>:<port>`.
    #[arg(long, env = "RABBITMQ_ADMIN_URL", hide_env_values = true)]
    pub rabbitmq_admin_url: Secret,
}
