use std::collections::BTreeSet;

use bhiv_settings::Secret;
use reqwest::{Client, Method, Response, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};
use url::Url;

use super::{DEAD_LETTER_EXCHANGE, REQUEUE_EXCHANGE, Topology};

/// Tries that a message gets when its consumer dies over it, before it becomes a dead letter.
const DELIVERY_LIMIT: u32 = 20;

/// How often dead letters may be looked at: as good as without limit, as a queue without a dead-letter exchange of
/// its own drops what exceeds it. Not -1: before 4.0, RabbitMQ takes that for 0 and drops every letter that is
/// looked at once. Not absent: from 4.0 on, that is 20.
const DEAD_LETTER_DELIVERY_LIMIT: u32 = 1_000_000_000;

/// Disk that one queue may take before publishers are refused, in bytes.
const MAX_QUEUE_BYTES: u64 = 4 * 1024 * 1024 * 1024;

/// Why the broker could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum AdminError {
    /// A setting is malformed.
    #[error("{0}")]
    Setting(String),
    /// The management API cannot be reached.
    #[error("RabbitMQ's management API cannot be reached: {0}")]
    Unreachable(#[from] reqwest::Error),
    /// The management API refused.
    #[error("RabbitMQ refused {what} with {status}: {reason}")]
    Refused {
        /// What was asked for.
        what: String,
        /// HTTP status.
        status: StatusCode,
        /// What it said.
        reason: String,
    },
}

/// How a queue is doing.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct QueueState {
    /// For example `crm.q.rl`.
    pub name: String,
    /// Messages that wait for a consumer.
    #[serde(default)]
    pub messages_ready: u64,
    /// Messages that a consumer has and did not acknowledge yet.
    #[serde(default)]
    pub messages_unacknowledged: u64,
    /// Its subscriptions.
    #[serde(default)]
    pub consumers: u64,
}

/// RabbitMQ's management API, in one virtual host.
#[derive(Debug)]
pub struct Admin {
    client: Client,
    url: Url,
    user: String,
    password: Secret,
    vhost: String,
}

impl Admin {
    /// `admin_url` is `http://<user>:<password>@<host>:<port>`; the virtual host is that of `amqp_url`.
    ///
    /// # Errors
    /// When a URL is malformed.
    pub fn new(admin_url: &Secret, amqp_url: &Secret) -> Result<Self, AdminError> {
        let mut url = parse("RABBITMQ_ADMIN_URL", admin_url)?;
        let user = decode(url.username());
        let password = Secret::from(decode(url.password().unwrap_or_default()));
        // The credentials go into a header, so that no error message can show them.
        let bare = url.set_username("").and_then(|()| url.set_password(None));
        bare.map_err(|()| AdminError::Setting("RABBITMQ_ADMIN_URL names no host".to_owned()))?;
        let vhost = decode(parse("AMQP_URL", amqp_url)?.path().trim_start_matches('/'));
        if vhost.is_empty() {
            return Err(AdminError::Setting("AMQP_URL names no virtual host".to_owned()));
        }
        Ok(Self { client: Client::new(), url, user, password, vhost })
    }

    /// Declares the virtual host, if it is not there.
    ///
    /// # Errors
    /// As [`Admin::declare`].
    pub async fn declare_vhost(&self) -> Result<(), AdminError> {
        self.put(&["vhosts", &self.vhost], &json!({})).await?;
        // Whoever declares a virtual host gets no right in it by that.
        self.allow(&self.user, ".*", ".*", ".*").await
    }

    /// Declares exchanges, queues, bindings and the policy. Repeating it changes nothing; bindings that the
    /// topology no longer has are removed.
    ///
    /// # Errors
    /// When the API cannot be reached or refuses, for example because a queue exists with other arguments.
    pub async fn declare(&self, topology: &Topology) -> Result<(), AdminError> {
        let v = self.vhost.as_str();
        let exchanges = [topology.exchange.as_str(), DEAD_LETTER_EXCHANGE, REQUEUE_EXCHANGE]
            .into_iter()
            .chain(topology.queues.iter().map(|queue| queue.exchange.as_str()))
            .collect::<BTreeSet<_>>();
        for exchange in exchanges {
            self.put(&["exchanges", v, exchange], &json!({"type": "topic", "durable": true})).await?;
        }
        // The policy first: a queue must not take messages without it.
        let service = topology.service.as_str();
        self.put(&["policies", v, service], &policy(service)).await?;
        for queue in &topology.queues {
            let arguments = json!({"x-queue-type": "quorum", "x-single-active-consumer": true});
            self.declare_queue(&queue.name, arguments).await?;
            self.bind(&queue.name, &queue.exchange, &queue.routing_keys).await?;
            self.bind(&queue.name, REQUEUE_EXCHANGE, std::slice::from_ref(&queue.name)).await?;
        }
        let arguments = json!({"x-queue-type": "quorum", "x-delivery-limit": DEAD_LETTER_DELIVERY_LIMIT});
        self.declare_queue(&topology.dead_letters, arguments).await.map_err(explain)?;
        self.bind(&topology.dead_letters, DEAD_LETTER_EXCHANGE, &[format!("{service}.#")]).await
    }

    /// Makes the user of `amqp_url` with the least rights that `topology` needs: to publish to its own
    /// exchange and as its own dead letters, to read its own queues, to declare nothing.
    ///
    /// # Errors
    /// As [`Admin::declare`].
    pub async fn grant(&self, amqp_url: &Secret, topology: &Topology) -> Result<(), AdminError> {
        let service = topology.service.as_str();
        let user = self.declare_user(amqp_url, "").await?;
        self.allow(
            &user,
            "^$",
            &format!(
                "^({}|{})$",
                topology.exchange.replace('.', "\\."),
                DEAD_LETTER_EXCHANGE.replace('.', "\\.")
            ),
            &format!("^{service}\\.(q\\..*|dlq)$"),
        )
        .await?;
        for exchange in [topology.exchange.as_str(), DEAD_LETTER_EXCHANGE] {
            let rights = json!({"exchange": exchange, "write": format!("^{service}\\."), "read": "^$"});
            self.put(&["topic-permissions", &self.vhost, &user], &rights).await?;
        }
        Ok(())
    }

    /// Makes the user of `amqp_url` an operator: may read and publish everywhere, declare queues of their own
    /// (`ops.*`), and republish what another user published.
    ///
    /// # Errors
    /// As [`Admin::declare`].
    pub async fn grant_operator(&self, amqp_url: &Secret) -> Result<(), AdminError> {
        let user = self.declare_user(amqp_url, "impersonator").await?;
        self.allow(&user, "^ops\\.", ".*", ".*").await
    }

    /// Every queue, by name. The broker counts every 5 s.
    ///
    /// # Errors
    /// As [`Admin::declare`].
    pub async fn queues(&self) -> Result<Vec<QueueState>, AdminError> {
        let queues = self.send(Method::GET, &["queues", &self.vhost], None).await?;
        let mut queues: Vec<QueueState> = queues.json().await?;
        queues.sort_unstable_by(|one, other| one.name.cmp(&other.name));
        Ok(queues)
    }

    /// Closes every connection into the virtual host, as an operator may.
    ///
    /// # Errors
    /// As [`Admin::declare`].
    pub async fn close_connections(&self) -> Result<usize, AdminError> {
        #[derive(Deserialize)]
        struct Connection {
            name: String,
        }
        let path = ["vhosts", &self.vhost, "connections"];
        let connections: Vec<Connection> = self.send(Method::GET, &path, None).await?.json().await?;
        for connection in &connections {
            self.send(Method::DELETE, &["connections", &connection.name], None).await?;
        }
        Ok(connections.len())
    }

    async fn declare_user(&self, amqp_url: &Secret, tags: &str) -> Result<String, AdminError> {
        let url = parse("AMQP_URL", amqp_url)?;
        let user = decode(url.username());
        let password = decode(url.password().unwrap_or_default());
        if user.is_empty() || password.is_empty() {
            return Err(AdminError::Setting("AMQP_URL names no user or no password".to_owned()));
        }
        self.put(&["users", &user], &json!({"password": password, "tags": tags})).await?;
        Ok(user)
    }

    async fn allow(&self, user: &str, configure: &str, write: &str, read: &str) -> Result<(), AdminError> {
        let rights = json!({"configure": configure, "write": write, "read": read});
        self.put(&["permissions", &self.vhost, user], &rights).await
    }

    async fn declare_queue(&self, name: &str, arguments: Value) -> Result<(), AdminError> {
        let queue = json!({"durable": true, "auto_delete": false, "arguments": arguments});
        self.put(&["queues", &self.vhost, name], &queue).await
    }

    async fn bind(&self, queue: &str, exchange: &str, keys: &[String]) -> Result<(), AdminError> {
        #[derive(Deserialize)]
        struct Binding {
            routing_key: String,
            properties_key: String,
        }
        let path = ["bindings", &self.vhost, "e", exchange, "q", queue];
        let existing: Vec<Binding> = self.send(Method::GET, &path, None).await?.json().await?;
        for key in keys.iter().filter(|key| !existing.iter().any(|old| old.routing_key == **key)) {
            self.send(Method::POST, &path, Some(&json!({"routing_key": key}))).await?;
        }
        for old in existing.iter().filter(|old| !keys.contains(&old.routing_key)) {
            let path = ["bindings", &self.vhost, "e", exchange, "q", queue, &old.properties_key];
            self.send(Method::DELETE, &path, None).await?;
        }
        Ok(())
    }

    async fn put(&self, path: &[&str], body: &Value) -> Result<(), AdminError> {
        self.send(Method::PUT, path, Some(body)).await.map(drop)
    }

    async fn send(
        &self,
        method: Method,
        path: &[&str],
        body: Option<&Value>,
    ) -> Result<Response, AdminError> {
        let mut url = self.url.clone();
        url.path_segments_mut()
            .map_err(|()| AdminError::Setting("RABBITMQ_ADMIN_URL names no host".to_owned()))?
            .clear()
            .push("api")
            .extend(path);
        let mut request =
            self.client.request(method.clone(), url).basic_auth(&self.user, Some(self.password.expose()));
        if let Some(body) = body {
            request = request.json(body);
        }
        let response = request.send().await?;
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let what = format!("{method} /{}", path.join("/"));
        Err(AdminError::Refused { what, status, reason: response.text().await.unwrap_or_default() })
    }
}

/// Earlier versions declared dead-letter queues with a limit of -1.
fn explain(error: AdminError) -> AdminError {
    match error {
        AdminError::Refused { what, status, reason } if reason.contains("x-delivery-limit") => {
            let reason = format!("{reason}; delete that queue once it is empty, then set up again");
            AdminError::Refused { what, status, reason }
        }
        other => other,
    }
}

/// Holds for every queue of the service. Dead-lettering by the broker is only for messages that kill their
/// consumer; all others are given up by the consumer itself.
fn policy(service: &str) -> Value {
    json!({
        "pattern": format!("^{service}\\.q\\."),
        "apply-to": "queues",
        "definition": {
            "delivery-limit": DELIVERY_LIMIT,
            "dead-letter-exchange": DEAD_LETTER_EXCHANGE,
            "dead-letter-routing-key": format!("{service}.limit"),
            "dead-letter-strategy": "at-least-once",
            "overflow": "reject-publish",
            "max-length-bytes": MAX_QUEUE_BYTES,
        },
    })
}

fn parse(setting: &str, url: &Secret) -> Result<Url, AdminError> {
    Url::parse(url.expose()).map_err(|error| AdminError::Setting(format!("{setting} is not a URL: {error}")))
}

/// Undoes the percent-encoding of a part of a URL.
fn decode(part: &str) -> String {
    url::form_urlencoded::parse(format!("x={}", part.replace('+', "%2B")).as_bytes())
        .next()
        .map_or_else(String::new, |(_, value)| value.into_owned())
}
