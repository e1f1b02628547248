use std::collections::{HashMap, VecDeque};

use bhiv_events::Event;
use chrono::{DateTime, Utc};
use lapin::message::Delivery;
use lapin::types::{AMQPValue, FieldTable, ShortString};
use uuid::Uuid;

use crate::message::headers_of;
use crate::topology::REQUEUE_EXCHANGE;
use crate::wire::{self, Malformed};
use crate::{Headers, Message};

/// Counts how often an operator put the message back, from 1 for none.
const ATTEMPT: &str = "bhiv-attempt";
/// Tries before the consumer gave up.
const ATTEMPTS: &str = "bhiv-attempts";
const CLASS: &str = "bhiv-error-class";
const ERROR: &str = "bhiv-error";
const QUEUE: &str = "bhiv-queue";

/// What the broker says of a message that it gave up on by itself.
const FIRST_DEATH_QUEUE: &str = "x-first-death-queue";
const DEATHS: &str = "x-death";

/// A message that was given up on.
#[derive(Clone, Debug)]
pub struct Letter {
    pub(super) tag: u64,
    /// Whose it is, for example `crm`.
    pub service: String,
    /// The message's id; empty if it has none.
    pub message_id: String,
    /// The queue that it came from, if that is known and the service's own.
    pub queue: Option<String>,
    /// For example `rejected`; `limit` when the broker gave up on it.
    pub class: String,
    /// What went wrong.
    pub error: String,
    /// Tries before it was given up, if the consumer counted them.
    pub attempts: Option<i64>,
    /// 1, and 1 more for each time that an operator put it back.
    pub attempt: i64,
    /// When the broker gave up on it, or else when its event was recorded.
    pub time: Option<DateTime<Utc>>,
    /// The event, or why the message is none.
    pub event: Result<Event, Malformed>,
    /// Its textual headers.
    pub headers: Headers,
    /// Its body.
    pub body: Vec<u8>,
}

impl Letter {
    pub(super) fn read(service: &str, delivery: Delivery) -> Self {
        let headers = headers_of(&delivery.properties);
        let number = |name: &str| headers.get(name).and_then(|text| text.parse().ok());
        let death = delivery.properties.headers().as_ref().and_then(newest_death);
        let queue = headers.get(QUEUE).or_else(|| headers.get(FIRST_DEATH_QUEUE)).cloned();
        let queue = queue.or_else(|| text_of(death?, "queue"));
        let key = delivery.routing_key.as_str();
        let class = headers.get(CLASS).map_or_else(
            || key.strip_prefix(service).map_or(key, |rest| rest.trim_start_matches('.')).to_owned(),
            Clone::clone,
        );
        let error = headers.get(ERROR).cloned().unwrap_or_else(|| {
            "its consumer ended over it, or gave it back, as often as its queue allows".to_owned()
        });
        let event = wire::read(&headers, &delivery.data);
        let died = death.and_then(|death| death.inner().get("time")?.as_timestamp());
        let died = died.and_then(|seconds| DateTime::from_timestamp(i64::try_from(seconds).ok()?, 0));
        Self {
            tag: delivery.delivery_tag,
            service: service.to_owned(),
            message_id: delivery
                .properties
                .message_id()
                .as_ref()
                .map_or_else(String::new, ToString::to_string),
            // Any service may write what it likes into its own dead letters, but gets nothing into another's queue.
            queue: queue.filter(|queue| queue.starts_with(&format!("{service}.q."))),
            class,
            error,
            attempts: number(ATTEMPTS),
            attempt: number(ATTEMPT).unwrap_or(1),
            time: died.or_else(|| event.as_ref().ok().map(|event| event.time)),
            event,
            headers,
            body: delivery.data,
        }
    }

    /// Queue and subject: letters that have both in common have an order.
    pub fn line(&self) -> Option<(&str, &str)> {
        Some((self.queue.as_deref()?, self.event.as_ref().ok()?.subject.as_str()))
    }

    /// The message that puts the letter back into its queue: same id and body, the next attempt, and no word of
    /// what made it a dead letter.
    ///
    /// # Errors
    /// When its queue is not known, or its id is none by which consumers recognise repetitions: in words.
    pub fn requeued(&self) -> Result<Message, String> {
        let queue =
            self.queue.as_ref().ok_or("no header names the queue of this service that it came from")?;
        let id = Uuid::parse_str(&self.message_id)
            .map_err(|_| format!("its message id '{}' is no UUID", self.message_id))?;
        let mut headers = self.headers.clone();
        headers.retain(|name, _| {
            !name.starts_with("x-") && ![CLASS, ERROR, ATTEMPTS, QUEUE].contains(&name.as_str())
        });
        headers.insert(ATTEMPT.to_owned(), (self.attempt + 1).to_string());
        Ok(Message {
            exchange: REQUEUE_EXCHANGE.to_owned(),
            routing_key: queue.clone(),
            id,
            headers,
            body: self.body.clone(),
        })
    }
}

/// Letters in the order in which to put them back: that of their queue, as a cause comes before its effects in it,
/// but with the letters of one subject by sequence, each in a place that one of them had. A letter that was tried
/// for longer is behind its successors in the queue.
pub fn in_order(letters: Vec<Letter>) -> Vec<Letter> {
    let line = |letter: &Letter| letter.line().map(|(queue, subject)| (queue.to_owned(), subject.to_owned()));
    let places: Vec<_> = letters.iter().map(line).collect();
    let mut lines: HashMap<_, Vec<Letter>> = HashMap::new();
    for letter in letters {
        lines.entry(line(&letter)).or_default().push(letter);
    }
    let mut lines: HashMap<_, VecDeque<Letter>> = lines
        .into_iter()
        .map(|(line, mut letters)| {
            letters.sort_by_key(|letter| letter.event.as_ref().map_or(0, |event| event.sequence));
            (line, letters.into())
        })
        .collect();
    places.iter().filter_map(|place| lines.get_mut(place)?.pop_front()).collect()
}

/// The newest entry of `x-death`: where and when the broker gave up on the message.
fn newest_death(headers: &FieldTable) -> Option<&FieldTable> {
    match headers.inner().get(DEATHS)? {
        AMQPValue::FieldArray(deaths) => match deaths.as_slice().first()? {
            AMQPValue::FieldTable(death) => Some(death),
            _ => None,
        },
        _ => None,
    }
}

fn text_of(table: &FieldTable, name: &str) -> Option<String> {
    match table.inner().get(&ShortString::from(name))? {
        AMQPValue::LongString(text) => String::from_utf8(text.as_bytes().to_vec()).ok(),
        AMQPValue::ShortString(text) => Some(text.as_str().to_owned()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use bhiv_events::crm::LeadCreated;
    use bhiv_events::{Contract as _, Event};
    use lapin::BasicProperties;
    use lapin::types::FieldArray;

    use super::*;

    fn letter(headers: &[(&str, &str)], key: &str) -> Letter {
        let mut table = FieldTable::default();
        for (name, value) in headers {
            table.insert((*name).into(), AMQPValue::LongString((*value).into()));
        }
        delivered(table, key)
    }

    fn delivered(table: FieldTable, key: &str) -> Letter {
        let mut delivery = Delivery::mock(1, "bhiv.dlx".into(), key.into(), false, b"{}".to_vec());
        let id = Uuid::from_u128(7).to_string();
        delivery.properties = BasicProperties::default().with_headers(table).with_message_id(id.into());
        Letter::read("task", delivery)
    }

    #[test]
    fn what_a_consumer_gave_up_says_so_itself() {
        let letter = letter(
            &[
                ("bhiv-error-class", "later"),
                ("bhiv-error", "not yet"),
                ("bhiv-attempts", "12"),
                ("bhiv-queue", "task.q.crm"),
                ("bhiv-attempt", "3"),
                ("x-delivery-count", "2"),
                ("traceparent", "00-x"),
            ],
            "task.later",
        );
        assert_eq!((letter.class.as_str(), letter.attempts, letter.attempt), ("later", Some(12), 3));
        let back = letter.requeued().unwrap();
        assert_eq!((back.exchange.as_str(), back.routing_key.as_str()), ("bhiv.requeue", "task.q.crm"));
        assert_eq!(back.id, Uuid::from_u128(7));
        let headers: Vec<_> =
            back.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(headers, [("bhiv-attempt", "4"), ("traceparent", "00-x")]);
    }

    #[test]
    fn what_the_broker_gave_up_is_known_by_its_deaths() {
        let found = letter(&[("x-first-death-queue", "task.q.crm")], "task.limit");
        assert_eq!((found.class.as_str(), found.queue.as_deref()), ("limit", Some("task.q.crm")));
        assert_eq!((found.attempts, found.attempt), (None, 1));

        let mut death = FieldTable::default();
        death.insert("queue".into(), AMQPValue::LongString("task.q.rl".into()));
        death.insert("time".into(), AMQPValue::Timestamp(1_700_000_000));
        let mut table = FieldTable::default();
        table.insert("x-death".into(), AMQPValue::FieldArray(FieldArray::from(vec![death.into()])));
        let found = delivered(table, "task.limit");
        assert_eq!(found.queue.as_deref(), Some("task.q.rl"));
        assert_eq!(found.time.unwrap().timestamp(), 1_700_000_000);
    }

    #[test]
    fn nobody_gets_a_letter_into_the_queue_of_another_service() {
        let letter = letter(&[("bhiv-queue", "crm.q.task")], "task.rejected");
        assert!(letter.requeued().unwrap_err().contains("queue"));
    }

    #[test]
    fn a_message_without_an_id_is_not_put_back() {
        let mut letter = letter(&[("bhiv-queue", "task.q.crm")], "task.undecodable");
        letter.message_id = "42".to_owned();
        assert!(letter.requeued().unwrap_err().contains("'42' is no UUID"));
    }

    #[test]
    fn letters_of_a_subject_go_back_by_sequence_in_the_places_that_they_had() {
        let of = |subject: u128, sequence| {
            let data = LeadCreated { lead_id: Uuid::from_u128(subject), ..LeadCreated::sample() };
            let event = Event { sequence, ..Event::around(Uuid::from_u128(subject), &data) };
            Letter { event: Ok(event), ..letter(&[("bhiv-queue", "task.q.crm")], "task.later") }
        };
        let nameless = letter(&[], "task.limit");
        let ordered = in_order(vec![of(1, 3), of(2, 1), of(1, 2), nameless, of(2, 9), of(1, 1)]);
        let sequences: Vec<_> =
            ordered.iter().map(|letter| letter.event.as_ref().map_or(0, |event| event.sequence)).collect();
        assert_eq!(sequences, [1, 1, 2, 0, 9, 3]);
    }
}
