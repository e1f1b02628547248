use std::collections::HashMap;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesOrdered;
use lapin::options::{BasicPublishOptions, ConfirmSelectOptions};
use lapin::{Channel, Confirmation};
use tokio::sync::watch;
use uuid::Uuid;

use crate::{Connector, Error, Message, State, crash};

/// Messages that are under way at once. More brings nothing, far fewer cost throughput.
const WINDOW: usize = 256;

/// A broker that is not blocked and confirms nothing for this long is taken for dead.
const PATIENCE: Duration = Duration::from_secs(15);

/// What became of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// In every queue that is bound for it, on disk.
    Delivered,
    /// No queue is bound for it, or the broker refused it: the reason.
    Refused(String),
    /// The connection or channel was lost before the broker said: send it again.
    Unknown,
}

/// Publishes with confirms on one channel. It needs `&mut`, because a channel confirms in order only as long
/// as one task publishes on it.
pub struct Publisher {
    channel: Channel,
    user: String,
    state: watch::Receiver<State>,
}

impl std::fmt::Debug for Publisher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Publisher of {}", self.user)
    }
}

impl Publisher {
    /// Opens a channel with confirms; waits for the broker if it is away.
    ///
    /// # Errors
    /// When the broker refuses the channel.
    pub async fn open(connector: &Connector) -> Result<Self, Error> {
        let connection = connector.connection().await;
        let channel = connection.create_channel().await?;
        channel.confirm_select(ConfirmSelectOptions::default()).await?;
        Ok(Self { channel, user: connection.status().username(), state: connector.watch() })
    }

    /// Whether the channel is lost; then open another publisher.
    pub fn is_lost(&self) -> bool {
        !self.channel.status().connected()
    }

    /// Publishes `messages` in order and answers the fate of each, in the same order.
    ///
    /// Waits for as long as the broker is blocked. A message that the broker will not have (a missing exchange,
    /// a key that we may not use) costs the channel and leaves every message under way unknown; published
    /// alone it is found out and refused.
    pub async fn publish(&mut self, messages: &[Message]) -> Vec<Fate> {
        let mut outcomes = HashMap::with_capacity(messages.len());
        let mut waiting = messages.iter();
        let mut under_way = FuturesOrdered::new();
        loop {
            while under_way.len() < WINDOW
                && let Some(message) = waiting.next()
            {
                under_way.push_back(publish(&self.channel, &self.user, message));
            }
            if under_way.is_empty() {
                break;
            }
            let answer = patiently(&mut self.state, under_way.next()).await;
            // The rest of the window is sent and not confirmed yet.
            crash::point("relay.sent");
            match answer {
                Some(Some((id, Ok(confirmation)))) => note(&mut outcomes, id, confirmation),
                Some(Some((id, Err(error)))) => {
                    tracing::warn!(%error, "the publishing channel is lost");
                    if messages.len() == 1 && error.is_amqp_soft_error() {
                        outcomes.insert(id, Fate::Refused(error.to_string()));
                    }
                    // Whatever has no outcome by now is unknown.
                    break;
                }
                Some(None) | None => break,
            }
        }
        messages.iter().map(|message| outcomes.remove(&message.id).unwrap_or(Fate::Unknown)).collect()
    }
}

async fn publish(
    channel: &Channel,
    user: &str,
    message: &Message,
) -> (Uuid, Result<Confirmation, lapin::Error>) {
    let sent = channel
        .basic_publish(
            message.exchange.as_str().into(),
            message.routing_key.as_str().into(),
            BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() },
            &message.body,
            message.properties(user),
        )
        .await;
    let result = match sent {
        Ok(confirm) => confirm.await,
        Err(error) => Err(error),
    };
    (message.id, result)
}

/// Notes the fate of `id`, and of the message that came back with its confirm, which may be another one: the
/// client library hands a returned message to whichever confirm completes next.
fn note(outcomes: &mut HashMap<Uuid, Fate>, id: Uuid, confirmation: Confirmation) {
    let fate = match &confirmation {
        Confirmation::Ack(_) => Fate::Delivered,
        Confirmation::Nack(_) => Fate::Refused("the broker refused it (nack)".to_owned()),
        Confirmation::NotRequested => Fate::Unknown,
    };
    outcomes.entry(id).or_insert(fate);
    if let Some(returned) = confirmation.take_message() {
        let reason = format!("returned: {} {}", returned.reply_code, returned.reply_text);
        let returned_id =
            returned.delivery.properties.message_id().as_ref().and_then(|id| id.as_str().parse().ok());
        match returned_id {
            Some(returned_id) => {
                outcomes.insert(returned_id, Fate::Refused(reason));
            }
            // Ours always have one; without it, better twice than never.
            None => {
                outcomes.insert(id, Fate::Unknown);
            }
        }
    }
}

/// Awaits `answer`; `None` when the broker is silent for [`PATIENCE`] and has not said that it is blocked.
async fn patiently<T>(state: &mut watch::Receiver<State>, answer: impl Future<Output = T>) -> Option<T> {
    let mut answer = std::pin::pin!(answer);
    loop {
        tokio::select! {
            answer = &mut answer => return Some(answer),
            () = tokio::time::sleep(PATIENCE) => {}
        }
        match &*state.borrow_and_update() {
            State::Blocked(_) => {}
            State::Open | State::Away(_) => {
                tracing::warn!("RabbitMQ confirms nothing");
                return None;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use lapin::BasicProperties;
    use lapin::message::{BasicReturnMessage, Delivery};

    use super::*;

    #[test]
    fn a_returned_message_is_refused_whichever_confirm_brings_it() {
        let (first, second) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let mut outcomes = HashMap::new();
        // The return of the second one arrives with the confirm of the first one.
        note(&mut outcomes, first, Confirmation::Ack(Some(returned(second))));
        note(&mut outcomes, second, Confirmation::Ack(None));
        assert_eq!(outcomes[&first], Fate::Delivered);
        assert!(matches!(outcomes[&second], Fate::Refused(_)));

        let mut outcomes = HashMap::new();
        note(&mut outcomes, second, Confirmation::Ack(None));
        note(&mut outcomes, first, Confirmation::Ack(Some(returned(second))));
        assert_eq!(outcomes[&first], Fate::Delivered);
        assert!(matches!(outcomes[&second], Fate::Refused(_)));
    }

    fn returned(id: Uuid) -> BasicReturnMessage {
        let mut delivery = Delivery::mock(0, "bhiv.crm".into(), "crm.x".into(), false, Vec::new());
        delivery.properties = BasicProperties::default().with_message_id(id.to_string().into());
        BasicReturnMessage { delivery, reply_code: 312, reply_text: "NO_ROUTE".into() }
    }
}
