use bhiv_broker::topology::{Admin, Topology};
use bhiv_broker::{Connector, Fate, Message, Publisher};
use bhiv_settings::Secret;
use uuid::Uuid;

use crate::{eventually, servers};

/// A virtual host of RabbitMQ of its own for one test. It stays afterwards; the next `scripts/test` removes it.
#[derive(Debug)]
pub struct TestBroker {
    /// Connects into it as an administrator.
    pub amqp_url: Secret,
    /// Declares what a test needs.
    pub admin: Admin,
}

impl TestBroker {
    /// A virtual host with the topologies given.
    pub async fn start(topologies: &[Topology]) -> Self {
        let servers = servers();
        #[expect(clippy::disallowed_methods, reason = "it tells runs of a test apart")]
        let vhost = format!("t-{}", Uuid::now_v7().simple());
        let (base, _) = servers.amqp_url.expose().rsplit_once('/').unwrap();
        let amqp_url = Secret::from(format!("{base}/{vhost}"));
        let admin = Admin::new(&servers.rabbitmq_admin_url, &amqp_url).unwrap();
        admin.declare_vhost().await.unwrap();
        for topology in topologies {
            admin.declare(topology).await.unwrap();
        }
        Self { amqp_url, admin }
    }

    /// The address for another user.
    pub fn url_for(&self, user: &str, password: &str) -> Secret {
        let (_, rest) = self.amqp_url.expose().split_once('@').unwrap();
        Secret::from(format!("amqp://{user}:{password}@{rest}"))
    }

    /// A connection.
    pub fn connector(&self) -> Connector {
        Connector::new(&self.amqp_url, "test")
    }

    /// Closes every connection; waits until the broker knows of any.
    pub async fn close_connections(&self) {
        eventually(async || (self.admin.close_connections().await.unwrap() > 0).then_some(())).await;
    }

    /// Publishes a message as an administrator.
    pub async fn publish(&self, message: Message) -> Fate {
        let mut publisher = Publisher::open(&self.connector()).await.unwrap();
        publisher.publish(&[message]).await.pop().unwrap()
    }
}
