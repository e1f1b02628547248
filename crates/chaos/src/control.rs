//! The servers: PostgreSQL and RabbitMQ of a stack of its own, and what is done to them.

use std::path::PathBuf;

use bhiv_settings::Secret;
use clap::Args;
use reqwest::{Client, Method};
use serde_json::Value;
use tokio::process::Command;
use url::Url;

use crate::Result;

/// The virtual host of the lab.
pub const VHOST: &str = "chaos";

/// Where the servers are, as `scripts/chaos` says it.
#[derive(Args, Clone, Debug)]
pub struct Servers {
    /// The checkout, for its scripts.
    #[arg(long, env = "CHAOS_ROOT", hide = true)]
    pub root: PathBuf,
    /// Where programs, keys and logs are.
    #[arg(long, env = "CHAOS_PROGRAMS", hide = true)]
    pub programs: PathBuf,
    /// Where keys, logs and the report go.
    #[arg(long, env = "CHAOS_RUN", hide = true)]
    pub run: PathBuf,
    /// PostgreSQL as an administrator.
    #[arg(long, env = "CHAOS_DATABASE_URL", hide = true, hide_env_values = true)]
    pub database_url: Secret,
    /// RabbitMQ as an administrator, without a virtual host.
    #[arg(long, env = "CHAOS_AMQP_URL", hide = true, hide_env_values = true)]
    amqp_url: Secret,
    /// RabbitMQ's management API as an administrator.
    #[arg(long, env = "CHAOS_RABBITMQ_URL", hide = true, hide_env_values = true)]
    pub rabbitmq_url: Secret,
    /// Where the ports of the real services begin.
    #[arg(long, env = "BHIV_HTTP_BASE", hide = true)]
    pub http_base: u16,
}

impl Servers {
    /// Runs a function of the scripts, for example `rabbitmq_kill`, and answers what it printed.
    pub async fn script(&self, words: &[&str]) -> Result<String> {
        let mut command = Command::new(self.root.join("scripts/lib/control.sh"));
        let output = command.args(words).output().await?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        if output.status.success() {
            return Ok(text(&output.stdout));
        }
        Err(format!("{} failed: {}", words.join(" "), text(&output.stderr)).into())
    }

    /// The same with another RabbitMQ, which has the same administrator.
    pub fn with_broker(&self, amqp_port: u16, admin_port: u16) -> Result<Self> {
        let moved = |url: &Secret, port| -> Result<Secret> {
            let mut url = Url::parse(url.expose())?;
            url.set_port(Some(port)).map_err(|()| "the address of RabbitMQ takes no port")?;
            Ok(Secret::from(url.to_string()))
        };
        let mut servers = self.clone();
        servers.amqp_url = moved(&self.amqp_url, amqp_port)?;
        servers.rabbitmq_url = moved(&self.rabbitmq_url, admin_port)?;
        Ok(servers)
    }

    /// RabbitMQ for `user` in the lab's virtual host.
    pub fn amqp_url_of(&self, user: &str, password: &str) -> Result<Secret> {
        let mut url = Url::parse(self.amqp_url.expose())?;
        let named = url.set_username(user).and_then(|()| url.set_password(Some(password)));
        named.map_err(|()| "the address of RabbitMQ takes no user")?;
        url.set_path(VHOST);
        Ok(Secret::from(url.to_string()))
    }

    /// RabbitMQ as an administrator, in the lab's virtual host.
    pub fn amqp_url(&self) -> Result<Secret> {
        let mut url = Url::parse(self.amqp_url.expose())?;
        url.set_path(VHOST);
        Ok(Secret::from(url.to_string()))
    }

    /// PostgreSQL for `role`.
    pub fn database_url_of(&self, role: &str, password: &str) -> Result<Secret> {
        let mut url = Url::parse(self.database_url.expose())?;
        let named = url.set_username(role).and_then(|()| url.set_password(Some(password)));
        named.map_err(|()| "the address of PostgreSQL takes no user")?;
        Ok(Secret::from(url.to_string()))
    }

    /// Another database, as an administrator.
    pub fn database_url_in(&self, database: &str) -> Result<String> {
        let mut url = Url::parse(self.database_url.expose())?;
        url.set_path(database);
        Ok(url.to_string())
    }

    /// How many messages a queue has, those that are being handled too.
    pub async fn left_in(&self, vhost: &str, queue: &str) -> Result<usize> {
        let line = self.script(&["queue_length", vhost, queue]).await?;
        line.trim().parse().map_err(|_| format!("{queue} has '{line}' messages").into())
    }

    /// PostgreSQL as an administrator, in `schema`.
    pub fn schema_url(&self, schema: &str) -> String {
        format!("{}?options=-csearch_path%3D{schema}", self.database_url.expose())
    }

    /// Asks RabbitMQ's management API, below `/api`. `%2F` and the like are the caller's.
    pub async fn rabbitmq(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Value> {
        let mut url = Url::parse(self.rabbitmq_url.expose())?;
        let (user, password) = (url.username().to_owned(), url.password().unwrap_or_default().to_owned());
        url.set_path(&format!("/api/{path}"));
        let bare = url.set_username("").and_then(|()| url.set_password(None));
        bare.map_err(|()| "the address of RabbitMQ takes no user")?;
        let mut request = Client::new().request(method.clone(), url).basic_auth(user, Some(password));
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = request.send().await?;
        let status = answer.status();
        let text = answer.text().await?;
        let is_gone_already = method == Method::DELETE && status.as_u16() == 404;
        if !status.is_success() && !is_gone_already {
            return Err(format!("{method} {path}: {status} {text}").into());
        }
        Ok(serde_json::from_str(&text).unwrap_or(Value::Null))
    }
}
