use std::time::Duration;

use bhiv_events::Event;
use futures_util::StreamExt as _;
use lapin::message::Delivery as Raw;
use lapin::options::{BasicAckOptions, BasicConsumeOptions, BasicQosOptions};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{Channel, Consumer};
use tokio::time::Instant;

use crate::connector::CLOSE_TIMEOUT;
use crate::message::headers_of;
use crate::wire::{self, Malformed};
use crate::{Connector, Error, Headers};

/// How many messages the broker sends ahead of their acknowledgement. The client's own buffer has no bound, so
/// this is what limits memory; and when the process dies, each of them counts one delivery more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// One: whoever kills the process takes nobody along.
    Single,
    /// 256.
    Window,
    /// All that AMQP can count, 65,535: for whoever looks at a queue and leaves it as it is.
    Whole,
}

impl Pace {
    /// How many that are.
    pub fn prefetch(self) -> u16 {
        match self {
            Self::Single => 1,
            Self::Window => 256,
            Self::Whole => u16::MAX,
        }
    }
}

/// One message from a queue.
#[derive(Debug)]
pub struct Delivery {
    tag: u64,
    /// The event, or why the message is none.
    pub event: Result<Event, Malformed>,
    /// The message's id, also when it is no event; empty if it has none.
    pub message_id: String,
    /// The exchange that it was published to.
    pub exchange: String,
    /// The key that it was published with.
    pub routing_key: String,
    /// Its headers.
    pub headers: Headers,
    /// Its body.
    pub body: Vec<u8>,
    /// How often it was delivered before and came back unacknowledged.
    pub returns: i64,
}

/// The messages of one queue, in the order in which the queue holds them.
pub struct Deliveries {
    queue: String,
    channel: Channel,
    consumer: Consumer,
}

impl std::fmt::Debug for Deliveries {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Deliveries of {}", self.queue)
    }
}

impl Deliveries {
    /// Subscribes to `queue`; waits for the broker if it is away.
    ///
    /// # Errors
    /// When the queue does not exist or may not be read.
    pub async fn open(connector: &Connector, queue: &str, pace: Pace) -> Result<Self, Error> {
        let channel = connector.connection().await.create_channel().await?;
        let consumer = consume(&channel, queue, pace).await?;
        Ok(Self { queue: queue.to_owned(), channel, consumer })
    }

    /// Waits for a message, then gathers what follows within `linger`, up to `most`.
    ///
    /// It may be dropped while it waits for the first message, and loses none by that.
    ///
    /// # Errors
    /// When the subscription ended; open another one.
    pub async fn batch(&mut self, most: usize, linger: Duration) -> Result<Vec<Delivery>, Error> {
        let first = self.next().await?;
        let mut batch = vec![first];
        let until = Instant::now() + linger;
        while batch.len() < most {
            match tokio::time::timeout_at(until, self.next()).await {
                Ok(delivery) => batch.push(delivery?),
                Err(_) => break,
            }
        }
        Ok(batch)
    }

    async fn next(&mut self) -> Result<Delivery, Error> {
        match self.consumer.next().await {
            Some(Ok(raw)) => Ok(Delivery::from(raw)),
            Some(Err(error)) => Err(error.into()),
            None => Err(Error::Ended(self.queue.clone())),
        }
    }

    /// Acknowledges the delivery with the tag `last` and everything before it.
    ///
    /// # Errors
    /// When the channel is gone: tags of another one mean nothing. The messages will come again.
    pub async fn ack_through(&self, last: u64) -> Result<(), Error> {
        self.channel.basic_ack(last, BasicAckOptions { multiple: true }).await?;
        Ok(())
    }

    /// Gives back what was sent ahead, in its order, before anybody else gets what follows it. Cancelling the
    /// consumer first would let another replica go on with later messages.
    ///
    /// # Errors
    /// When the channel is gone, which gives them back too, or the broker does not answer.
    pub async fn close(self) -> Result<(), Error> {
        match tokio::time::timeout(CLOSE_TIMEOUT, self.channel.close(200, "bye".into())).await {
            Ok(closed) => Ok(closed?),
            Err(_) => Err(Error::Silent(CLOSE_TIMEOUT)),
        }
    }
}

async fn consume(channel: &Channel, queue: &str, pace: Pace) -> Result<Consumer, Error> {
    // Before consuming: it holds for consumers that come after it.
    channel.basic_qos(pace.prefetch(), BasicQosOptions::default()).await?;
    let options = BasicConsumeOptions::default();
    Ok(channel.basic_consume(queue.into(), "".into(), options, FieldTable::default()).await?)
}

impl Delivery {
    /// What the broker knows this delivery by, on its channel.
    pub fn tag(&self) -> u64 {
        self.tag
    }
}

impl From<Raw> for Delivery {
    fn from(raw: Raw) -> Self {
        let headers = headers_of(&raw.properties);
        Self {
            tag: raw.delivery_tag,
            event: wire::read(&headers, &raw.data),
            message_id: raw.properties.message_id().as_ref().map_or_else(String::new, ToString::to_string),
            exchange: raw.exchange.to_string(),
            routing_key: raw.routing_key.to_string(),
            returns: returns(&raw),
            headers,
            body: raw.data,
        }
    }
}

/// A quorum queue counts them in a header.
fn returns(raw: &Raw) -> i64 {
    let counted =
        raw.properties.headers().as_ref().and_then(|table| match table.inner().get("x-delivery-count")? {
            AMQPValue::LongLongInt(count) => Some(*count),
            AMQPValue::LongInt(count) => Some(i64::from(*count)),
            AMQPValue::LongUInt(count) => Some(i64::from(*count)),
            AMQPValue::ShortShortUInt(count) => Some(i64::from(*count)),
            _ => None,
        });
    counted.unwrap_or(i64::from(raw.redelivered))
}
