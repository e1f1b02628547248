//! The dead letters of a service, for operators: reading them, putting them back, removing them.
//!
//! They are read by one consumer without acknowledgements, and given back by closing its channel: a quorum
//! queue then has them in their old places. `basic.get` would not do: each is a consumer of its own for a quorum
//! queue, and what several consumers give back comes in any order.
//!
//! Putting a letter back has two steps, [`DeadLetters::put_back`] and [`DeadLetters::remove`]. Between them it is
//! in its old queue and still a dead letter; put back once more it has the same id and attempt, and the
//! consumer's inbox knows it.

mod letter;

pub use letter::{Letter, in_order};

use std::collections::VecDeque;
use std::time::Duration;

use futures_util::StreamExt as _;
use lapin::options::{BasicAckOptions, BasicConsumeOptions, BasicQosOptions, QueueDeclareOptions};
use lapin::types::FieldTable;
use lapin::{Channel, Consumer, ErrorKind};
use tokio::time::Instant;

use crate::{Connector, Error, Fate, Publisher};

/// Letters that are read at once, at most: they are in memory, 256 KiB each at worst.
const MOST: u16 = 10_000;

/// A queue that promised a message and does not send it for this long is taken for dead.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long another reader may take to go away: one that closed its channel just now is gone at once.
const READER_PATIENCE: Duration = Duration::from_secs(3);

/// How long a queue gets to write down what was removed.
const SETTLING: Duration = Duration::from_millis(200);

/// AMQP's "not found".
const NOT_FOUND: u16 = 404;

/// Why a letter was not put back. It is a dead letter still.
#[derive(Debug, thiserror::Error)]
pub enum NotBack {
    /// It cannot be put back, or the broker would not have it: why. Others may.
    #[error("{0}")]
    Refused(String),
    /// The connection was lost before the broker confirmed: it may be in its old queue too. Putting it back
    /// again does no harm.
    #[error(
        "the connection was lost before RabbitMQ confirmed; put back again it has one effect all the same"
    )]
    Unknown,
    /// There is no channel to publish on.
    #[error(transparent)]
    Broker(#[from] Error),
}

/// The dead letters of one service, held back from other readers until this is closed or dropped.
pub struct DeadLetters {
    service: String,
    connector: Connector,
    channel: Channel,
    letters: VecDeque<Letter>,
    beyond: u32,
    has_removed: bool,
    publisher: Option<Publisher>,
    /// It holds the subscription.
    _consumer: Option<Consumer>,
}

impl std::fmt::Debug for DeadLetters {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "DeadLetters of {}", self.service)
    }
}

impl DeadLetters {
    /// Reads the queue `<service>.dlq`, up to 10,000 letters of it; waits for the broker if it is away.
    ///
    /// # Errors
    /// [`Error::Missing`] without such a queue, [`Error::Busy`] while somebody else reads it, and when the broker
    /// stops answering.
    pub async fn open(connector: &Connector, service: &str) -> Result<Self, Error> {
        let queue = format!("{service}.dlq");
        let channel = connector.connection().await.create_channel().await?;
        let count = count_alone(&channel, &queue).await?;
        let held = u16::try_from(count).unwrap_or(MOST).min(MOST);
        let mut letters = VecDeque::with_capacity(held.into());
        let mut consumer = None;
        if held > 0 {
            channel.basic_qos(held, BasicQosOptions::default()).await?;
            let options = BasicConsumeOptions::default();
            let mut subscription = channel
                .basic_consume(queue.as_str().into(), "".into(), options, FieldTable::default())
                .await?;
            while letters.len() < held.into() {
                let next = tokio::time::timeout(PATIENCE, subscription.next()).await;
                match next.map_err(|_| Error::Silent(PATIENCE))? {
                    Some(delivery) => letters.push_back(Letter::read(service, delivery?)),
                    None => return Err(Error::Ended(queue)),
                }
            }
            consumer = Some(subscription);
        }
        Ok(Self {
            service: service.to_owned(),
            connector: connector.clone(),
            channel,
            letters,
            beyond: count.saturating_sub(held.into()),
            has_removed: false,
            publisher: None,
            _consumer: consumer,
        })
    }

    /// The letters, in the order of the queue. A second call answers none.
    pub fn take(&mut self) -> Vec<Letter> {
        std::mem::take(&mut self.letters).into()
    }

    /// How many letters the queue had that were not read.
    pub fn beyond(&self) -> u32 {
        self.beyond
    }

    /// Publishes the letter to its old queue, with its id, as the next attempt, without what made it a dead letter;
    /// waits until the broker has it on disk. It is a dead letter still: call [`DeadLetters::remove`] then.
    ///
    /// # Errors
    /// [`NotBack`]; after anything but [`NotBack::Refused`] this is of no more use.
    pub async fn put_back(&mut self, letter: &Letter) -> Result<(), NotBack> {
        let message = letter.requeued().map_err(NotBack::Refused)?;
        let publisher = match &mut self.publisher {
            Some(publisher) if !publisher.is_lost() => publisher,
            lost => lost.insert(Publisher::open(&self.connector).await?),
        };
        match publisher.publish(&[message]).await.pop() {
            Some(Fate::Delivered) => Ok(()),
            Some(Fate::Refused(reason)) => Err(NotBack::Refused(reason)),
            Some(Fate::Unknown) | None => Err(NotBack::Unknown),
        }
    }

    /// Takes the letter out of the queue, for good once [`DeadLetters::close`] has answered.
    ///
    /// # Errors
    /// When the channel is gone: every letter that was not removed is in its place again.
    pub async fn remove(&mut self, letter: &Letter) -> Result<(), Error> {
        self.has_removed = true;
        self.channel.basic_ack(letter.tag, BasicAckOptions::default()).await?;
        Ok(())
    }

    /// Gives back every letter that was not removed, in its old place.
    ///
    /// # Errors
    /// When the channel is gone, which gives them back too; some of the removed ones may be among them.
    pub async fn close(self) -> Result<(), Error> {
        if self.has_removed {
            // A quorum queue forgets acknowledgements that are under way when their channel closes. The second
            // answer comes when all that was sent before the first one has been dealt with.
            let queue = format!("{}.dlq", self.service);
            inspect(&self.channel, &queue).await?;
            tokio::time::sleep(SETTLING).await;
            inspect(&self.channel, &queue).await?;
        }
        self.channel.close(200, "bye".into()).await?;
        Ok(())
    }
}

/// How many messages wait in the queue, once nobody else reads it.
/// How many letters a queue for them holds, besides those that somebody reads just now.
///
/// # Errors
/// When there is no such queue, or the broker goes away.
pub async fn waiting(connector: &Connector, queue: &str) -> Result<u32, Error> {
    let channel = connector.connection().await.create_channel().await?;
    let (messages, _) = inspect(&channel, queue).await?;
    channel.close(200, "bye".into()).await?;
    Ok(messages)
}

async fn count_alone(channel: &Channel, queue: &str) -> Result<u32, Error> {
    let until = Instant::now() + READER_PATIENCE;
    loop {
        let (messages, readers) = inspect(channel, queue).await?;
        if readers == 0 {
            return Ok(messages);
        }
        if Instant::now() >= until {
            return Err(Error::Busy(queue.to_owned()));
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Messages that wait, and consumers.
async fn inspect(channel: &Channel, queue: &str) -> Result<(u32, u32), Error> {
    let options = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
    match channel.queue_declare(queue.into(), options, FieldTable::default()).await {
        Ok(found) => Ok((found.message_count(), found.consumer_count())),
        Err(error) => match error.kind() {
            ErrorKind::ProtocolError(reason) if reason.get_id() == NOT_FOUND => {
                Err(Error::Missing(queue.to_owned()))
            }
            _ => Err(error.into()),
        },
    }
}
