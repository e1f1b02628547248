use futures_util::StreamExt as _;
use lapin::options::{BasicConsumeOptions, QueueBindOptions, QueueDeclareOptions};
use lapin::types::FieldTable;
use lapin::{Channel, Consumer};

use crate::{Connector, Delivery, Error};

/// A copy of what is published from now on, in a queue that is gone when the tail is dropped. For operators:
/// nothing is acknowledged, and nobody else gets less because of it.
pub struct Tail {
    consumer: Consumer,
    _channel: Channel,
}

impl std::fmt::Debug for Tail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Tail {}", self.consumer.queue())
    }
}

impl Tail {
    /// Copies what goes to `exchanges` with a routing key like `key`; `#` is everything. `name` begins with
    /// `ops.`, which operators may declare.
    ///
    /// # Errors
    /// When an exchange is not there, or the user is no operator.
    pub async fn open(
        connector: &Connector,
        name: &str,
        exchanges: &[&str],
        key: &str,
    ) -> Result<Self, Error> {
        let channel = connector.connection().await.create_channel().await?;
        let options =
            QueueDeclareOptions { exclusive: true, auto_delete: true, ..QueueDeclareOptions::default() };
        channel.queue_declare(name.into(), options, FieldTable::default()).await?;
        for exchange in exchanges {
            let options = QueueBindOptions::default();
            let (queue, exchange) = (name.into(), (*exchange).into());
            channel.queue_bind(queue, exchange, key.into(), options, FieldTable::default()).await?;
        }
        let options = BasicConsumeOptions { no_ack: true, ..BasicConsumeOptions::default() };
        let consumer = channel.basic_consume(name.into(), "".into(), options, FieldTable::default()).await?;
        Ok(Self { consumer, _channel: channel })
    }

    /// The next message.
    ///
    /// # Errors
    /// When the connection is gone.
    pub async fn next(&mut self) -> Result<Delivery, Error> {
        match self.consumer.next().await {
            Some(delivery) => Ok(delivery?.into()),
            None => Err(Error::Ended(self.consumer.queue().to_string())),
        }
    }
}
