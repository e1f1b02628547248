use std::path::PathBuf;
use std::time::Duration;

use bhiv_settings::Secret;
use bhiv_types::Email;
use clap::Args;
use ipnet::IpNet;

use crate::domain::origin::Origin;
use crate::domain::outside::RoleMap;
use crate::domain::quota::Quotas;

/// What the gateway reads from its environment beyond what every service does.
#[derive(Args, Clone, Debug)]
pub struct Config {
    #[command(flatten)]
    #[expect(missing_docs, reason = "the group documents itself")]
    pub modules: ModuleUrls,
    #[command(flatten)]
    #[expect(missing_docs, reason = "the group documents itself")]
    pub tokens: TokenSettings,
    #[command(flatten)]
    #[expect(missing_docs, reason = "the group documents itself")]
    pub outside: OutsideSettings,
    #[command(flatten)]
    #[expect(missing_docs, reason = "the group documents itself")]
    pub redis: RedisSettings,
    #[command(flatten)]
    #[expect(missing_docs, reason = "the group documents itself")]
    pub forward: ForwardSettings,
    #[command(flatten)]
    #[expect(missing_docs, reason = "the group documents itself")]
    pub edge: EdgeSettings,
    /// How often who may call: `<who> [<method>] [<path>]=<requests>/<s|m|h>` or `=none`, separated by commas. Who
    /// is `address` (without a token that was verified before), `user`, or a role.
    #[arg(long, env = "RATE_LIMITS", default_value = Quotas::DEFAULT)]
    pub rate_limits: Quotas,
    /// Networks of proxies whose `X-Forwarded-For` is believed, for example `10.0.0.0/8`, separated by commas.
    #[arg(long, env = "TRUSTED_PROXIES", value_delimiter = ',')]
    pub trusted_proxies: Vec<IpNet>,
    #[command(flatten)]
    #[expect(missing_docs, reason = "the group documents itself")]
    pub streams: StreamSettings,
    #[command(flatten)]
    #[expect(missing_docs, reason = "the group documents itself")]
    pub webhooks: WebhookSettings,
    /// How many seconds answers of modules are kept at most; 0 keeps none.
    #[arg(long, env = "CACHE_SECONDS", default_value_t = 300)]
    pub cache_seconds: u64,
    /// Modules may answer reads from standbys (their `DATABASE_READ_URL`) that lack up to so many milliseconds: the largest
    /// `READ_MAX_STALENESS_MS` of theirs. Whoever wrote something within twice that time is not answered so.
    #[arg(long, env = "MODULE_READ_STALENESS_MS")]
    pub module_read_staleness_ms: Option<u64>,
    /// E-mail address of an administrator who is made at start if there is none.
    #[arg(long, env = "ADMIN_EMAIL", requires = "admin_password")]
    pub admin_email: Option<Email>,
    /// Their password.
    #[arg(long, env = "ADMIN_PASSWORD", hide_env_values = true)]
    pub admin_password: Option<Secret>,
}

/// What replicas share.
#[derive(Args, Clone, Debug)]
#[expect(clippy::struct_field_names, reason = "named like the environment's variables")]
pub struct RedisSettings {
    /// `redis://:<password>@<host>:<port>/<db>`.
    #[arg(long, env = "REDIS_URL", hide_env_values = true)]
    pub redis_url: Secret,
    /// Before every key and channel in Redis: deployments that share one need different ones.
    #[arg(long, env = "REDIS_PREFIX", default_value = "bhiv")]
    pub redis_prefix: String,
    /// How many milliseconds a request waits for Redis before it goes on without it.
    #[arg(long, env = "REDIS_PATIENCE_MS", default_value_t = 250)]
    pub redis_patience_ms: u64,
}

/// Live streams, each replica for itself.
#[derive(Args, Clone, Debug)]
pub struct StreamSettings {
    /// Streams that may be open at once.
    #[arg(long, env = "STREAMS_MOST", default_value_t = 10_000)]
    pub streams_most: usize,
    /// Streams that one user may have open.
    #[arg(long, env = "STREAMS_PER_USER", default_value_t = 20)]
    pub streams_per_user: usize,
    /// After how many milliseconds without an event a stream shows that it is there.
    #[arg(long, env = "STREAM_HEARTBEAT_MS", default_value_t = 15_000)]
    pub stream_heartbeat_ms: u64,
    /// Events that a reader who is slower than they come may be behind; then its stream ends.
    #[arg(long, env = "STREAM_MOST_BEHIND", default_value_t = 10_000)]
    pub stream_most_behind: i64,
}

/// Webhooks.
#[derive(Args, Clone, Debug)]
pub struct WebhookSettings {
    #[command(flatten)]
    pub sending: bhiv_webhook::Settings,
    /// Subscriptions that one user may have.
    #[arg(long, env = "WEBHOOKS_PER_USER", default_value_t = 50)]
    pub webhooks_per_user: i64,
    /// Deliveries that are under way at once, in each replica.
    #[arg(long, env = "WEBHOOK_CONCURRENCY", default_value_t = 32)]
    pub webhook_concurrency: usize,
    /// Of those, the ones of one subscription.
    #[arg(long, env = "WEBHOOK_CONCURRENCY_EACH", default_value_t = 4)]
    pub webhook_concurrency_each: i64,
    /// After how many days without a single success a subscription is disabled.
    #[arg(long, env = "WEBHOOK_DISABLE_AFTER_DAYS", default_value_t = 5)]
    pub webhook_disable_after_days: u16,
}

/// Where the modules are, for example `http://crm:8011`.
#[derive(Args, Clone, Debug)]
#[expect(clippy::struct_field_names, reason = "named like the environment's variables")]
pub struct ModuleUrls {
    /// Leads, opportunities, accounts.
    #[arg(long, env = "CRM_URL", default_value = "http://127.0.0.1:8011")]
    pub crm_url: String,
    /// Orders, deliveries, inventory.
    #[arg(long, env = "LOGISTICS_URL", default_value = "http://127.0.0.1:8012")]
    pub logistics_url: String,
    /// Tasks, workflows, feedback.
    #[arg(long, env = "TASK_URL", default_value = "http://127.0.0.1:8013")]
    pub task_url: String,
    /// Consent, checks, duties.
    #[arg(long, env = "COMPLIANCE_URL", default_value = "http://127.0.0.1:8014")]
    pub compliance_url: String,
    /// Decisions and what came of them.
    #[arg(long, env = "RL_URL", default_value = "http://127.0.0.1:8015")]
    pub rl_url: String,
    /// Logs and audit.
    #[arg(long, env = "LOGGING_URL", default_value = "http://127.0.0.1:8016")]
    pub logging_url: String,
}

/// How long modules may take, and when they are left alone.
#[derive(Args, Clone, Copy, Debug)]
pub struct ForwardSettings {
    /// How many milliseconds a module has to begin its answer. A request's `Request-Timeout` may say less.
    #[arg(long, env = "MODULE_TIMEOUT_MS", default_value_t = 30_000)]
    pub module_timeout_ms: u64,
    /// A body, of a request or of an answer, is cut when nothing of it comes for so many milliseconds.
    #[arg(long, env = "BODY_IDLE_MS", default_value_t = 30_000)]
    pub body_idle_ms: u64,
    /// How many milliseconds the whole file of an export may take, however slowly it is read. What is not sent by then is
    /// cut off, and the client sees that it is not all.
    #[arg(long, env = "EXPORT_TIMEOUT_MS", default_value_t = 600_000)]
    pub export_timeout_ms: u64,
    /// After as many failures in a row a module is left alone for a while.
    #[arg(long, env = "BREAKER_FAILURES", default_value_t = 5)]
    pub breaker_failures: u32,
    /// For how many milliseconds at first; it doubles up to 30 s, and chance takes up to half of it.
    #[arg(long, env = "BREAKER_PAUSE_MS", default_value_t = 1_000)]
    pub breaker_pause_ms: u64,
}

impl ForwardSettings {
    /// How long a module has to begin its answer.
    pub fn module_timeout(&self) -> Duration {
        Duration::from_millis(self.module_timeout_ms)
    }

    /// How long an export may take.
    pub fn export_timeout(&self) -> Duration {
        Duration::from_millis(self.export_timeout_ms)
    }

    /// How long nothing may come of a body.
    pub fn body_idle(&self) -> Duration {
        Duration::from_millis(self.body_idle_ms)
    }
}

/// What browsers are told.
#[derive(Args, Clone, Debug)]
pub struct EdgeSettings {
    /// Origins whose pages may call from a browser, for example `https://app.example.com`, separated by commas.
    #[arg(long, env = "CORS_ORIGINS", value_delimiter = ',')]
    pub cors_origins: Vec<Origin>,
    /// Browsers use nothing but TLS for so many seconds. Only for a gateway that is reached by TLS.
    #[arg(long, env = "HSTS_SECONDS")]
    pub hsts_seconds: Option<u32>,
}

/// How access tokens are signed.
#[derive(Args, Clone, Debug)]
pub struct TokenSettings {
    /// File with the private key, Ed25519 in PEM.
    #[arg(long, env = "SIGNING_KEY_FILE")]
    pub signing_key_file: PathBuf,
    /// The `iss` of tokens; what verifiers have as AUTH_ISSUER.
    #[arg(long, env = "TOKEN_ISSUER", default_value = "bhiv-gateway")]
    pub token_issuer: String,
    /// The `aud` of tokens; what verifiers have as AUTH_AUDIENCE.
    #[arg(long, env = "TOKEN_AUDIENCE", default_value = "bhiv")]
    pub token_audience: String,
    /// How long an access token is valid.
    #[arg(long, env = "TOKEN_MINUTES", default_value_t = 15)]
    pub token_minutes: u16,
    /// A session that is not used for so many days ends.
    #[arg(long, env = "SESSION_DAYS", default_value_t = 30)]
    pub session_days: u16,
}

/// An outside OpenID Connect issuer whose tokens are accepted.
#[derive(Args, Clone, Debug)]
#[expect(clippy::struct_field_names, reason = "named like the environment's variables")]
pub struct OutsideSettings {
    /// The `iss` of its tokens; without it there is none.
    #[arg(long, env = "OIDC_ISSUER")]
    pub oidc_issuer: Option<String>,
    /// The `aud` that its tokens must have.
    #[arg(long, env = "OIDC_AUDIENCE")]
    pub oidc_audience: Option<String>,
    /// Where its public keys are (JWKS).
    #[arg(long, env = "OIDC_JWKS_URL")]
    pub oidc_jwks_url: Option<String>,
    /// The claim with its roles: a name, or a path with dots.
    #[arg(long, env = "OIDC_ROLES_CLAIM", default_value = "roles")]
    pub oidc_roles_claim: String,
    /// The claim with the team that somebody works in: a name, or a path with dots. Without it nobody is in one.
    #[arg(long, env = "OIDC_TEAM_CLAIM")]
    pub oidc_team_claim: Option<String>,
    /// What its roles stand for here: `theirs=ours`, separated by commas.
    #[arg(long, env = "OIDC_ROLES", default_value = "")]
    pub oidc_roles: RoleMap,
}
