use clap::Args;
use ipnet::IpNet;

/// What whoever sends webhooks reads from its environment.
#[derive(Args, Clone, Debug)]
pub struct Settings {
    /// Whether `http://` is allowed beside `https://`.
    #[arg(long, env = "WEBHOOK_ALLOW_HTTP")]
    pub webhook_allow_http: bool,
    /// Networks that are not of the public internet and may be sent to all the same, for example `10.0.0.0/8`,
    /// separated by commas.
    #[arg(long, env = "WEBHOOK_ALLOWED_NETWORKS", value_delimiter = ',')]
    pub webhook_allowed_networks: Vec<IpNet>,
    /// How many milliseconds a receiver has to answer in.
    #[arg(long, env = "WEBHOOK_TIMEOUT_MS", default_value_t = 15_000)]
    pub webhook_timeout_ms: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self { webhook_allow_http: false, webhook_allowed_networks: Vec::new(), webhook_timeout_ms: 15_000 }
    }
}
