use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bhiv_broker::topology::{DEAD_LETTER_EXCHANGE, REQUEUE_EXCHANGE};
use bhiv_broker::{Connector, Fate, Headers, Message, Publisher};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::quiet::Lying;

/// Messages that are published together.
const TOGETHER: usize = 256;

/// A message that lay in a queue.
#[derive(Debug, Deserialize, Serialize)]
struct Line {
    exchange: String,
    routing_key: String,
    id: Uuid,
    headers: Headers,
    body: String,
}

/// As they are written down, in the order of their queues.
pub(super) fn text(messages: &[Lying]) -> Result<String, serde_json::Error> {
    let mut text = String::new();
    for Lying { queue, delivery } in messages {
        // A dead letter goes where it came from, with what says why it is one; others go into their queue again.
        let (exchange, routing_key) = if queue.strip_suffix(".dlq").is_some() {
            (DEAD_LETTER_EXCHANGE, &delivery.routing_key)
        } else {
            (REQUEUE_EXCHANGE, queue)
        };
        let line = Line {
            exchange: exchange.to_owned(),
            routing_key: routing_key.clone(),
            // Only a dead letter can be without one.
            id: delivery.message_id.parse().unwrap_or_default(),
            headers: delivery.headers.clone(),
            body: STANDARD.encode(&delivery.body),
        };
        text.push_str(&serde_json::to_string(&line)?);
        text.push('\n');
    }
    Ok(text)
}

/// Publishes them. Answers how many there were.
pub(super) async fn bring_back(
    connector: &Connector,
    text: &str,
) -> Result<usize, Box<dyn std::error::Error>> {
    let mut messages = Vec::new();
    for line in text.lines() {
        let Line { exchange, routing_key, id, headers, body } = serde_json::from_str(line)?;
        messages.push(Message { exchange, routing_key, id, headers, body: STANDARD.decode(body)? });
    }
    let mut publisher = Publisher::open(connector).await?;
    for some in messages.chunks(TOGETHER) {
        for fate in publisher.publish(some).await {
            match fate {
                Fate::Delivered => {}
                Fate::Refused(reason) => return Err(format!("RabbitMQ refuses a message: {reason}").into()),
                Fate::Unknown => return Err("the connection to RabbitMQ was lost; run it again".into()),
            }
        }
    }
    Ok(messages.len())
}
