use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use bhiv_broker::{Deliveries, Fate, Headers, Message, wire};
use bhiv_events::crm::LeadCreated;
use bhiv_events::{Contract as _, Event, Producer};
use bhiv_outbox::Outcome;
use bhiv_testing::{TestBroker, eventually};
use uuid::Uuid;

use crate::system::{Handler, Service, topology};

fn event(id: u128) -> Event {
    let id = Uuid::from_u128(id);
    Event::around(id, &LeadCreated { lead_id: id, ..LeadCreated::sample() })
}

fn message(event: &Event) -> Message {
    Message {
        exchange: "bhiv.crm".to_owned(),
        routing_key: LeadCreated::KIND.routing_key.to_owned(),
        id: event.id,
        headers: wire::headers(event),
        body: event.data.to_string().into_bytes(),
    }
}

/// The one dead letter of task, with its headers.
async fn dead_letter(broker: &TestBroker) -> (Headers, Vec<u8>) {
    let mut letters = Deliveries::open(&broker.connector(), "task.dlq").await.unwrap();
    let mut batch = letters.batch(2, std::time::Duration::from_millis(300)).await.unwrap();
    assert_eq!(batch.len(), 1);
    let letter = batch.pop().unwrap();
    (letter.headers, letter.body)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_comes_three_times_has_one_effect() {
    let broker = TestBroker::start(&[topology()]).await;
    let task = Service::new(Producer::Task).await;
    for _ in 0..3 {
        assert_eq!(broker.publish(message(&event(1))).await, Fate::Delivered);
    }
    assert_eq!(broker.publish(message(&event(2))).await, Fate::Delivered);
    let _consumers = task.consume(&broker, Handler::default());
    eventually(async || (task.effects().await.len() >= 2).then_some(())).await;
    assert_eq!(task.effects().await, [Uuid::from_u128(1), Uuid::from_u128(2)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_handled_yet_is_parked_and_holds_up_nobody() {
    let task = Service::new(Producer::Task).await;
    let handler = Handler { failures: Arc::new(AtomicUsize::new(1)), never: false };
    let processor = task.processor(handler);
    let outcomes = processor.deliver(event(1)).await.unwrap();
    assert_eq!(outcomes, [Outcome::Parked("not yet".to_owned())]);
    assert_eq!(processor.deliver(event(2)).await.unwrap(), [Outcome::Done]);
    assert_eq!(processor.deliver(event(1)).await.unwrap(), [Outcome::Repeated], "it waits in its place");
    assert_eq!(processor.retry_parked().await.unwrap(), 0, "its time has not come");

    task.execute("UPDATE inbox_parked SET next_attempt_at = now()").await;
    assert_eq!(processor.retry_parked().await.unwrap(), 1);
    assert_eq!(task.effects().await, [Uuid::from_u128(2), Uuid::from_u128(1)]);
    assert_eq!(task.count("inbox_parked").await, 0);
    assert_eq!(processor.deliver(event(1)).await.unwrap(), [Outcome::Repeated]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_fails_too_often_becomes_a_dead_letter() {
    let broker = TestBroker::start(&[topology()]).await;
    let task = Service::new(Producer::Task).await;
    let handler = Handler { failures: Arc::new(AtomicUsize::new(1_000)), never: false };
    let processor = task.processor(handler);
    processor.deliver(event(1)).await.unwrap();
    task.execute("UPDATE inbox_parked SET next_attempt_at = now(), attempts = 12").await;
    assert_eq!(processor.retry_parked().await.unwrap(), 1);
    assert_eq!(task.count("inbox_parked").await, 0);
    assert_eq!(task.count("inbox").await, 0, "put back by an operator, it is handled");

    let (_, _relay) = task.relay(&broker);
    let (headers, body) = dead_letter(&broker).await;
    assert_eq!((headers["bhiv-error-class"].as_str(), headers["bhiv-attempts"].as_str()), ("later", "12"));
    assert_eq!(headers["bhiv-error"], "not yet");
    assert_eq!(wire::read(&headers, &body).unwrap(), event(1), "the original is whole");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_event_becomes_a_dead_letter_at_once() {
    let broker = TestBroker::start(&[topology()]).await;
    let task = Service::new(Producer::Task).await;
    let mut broken = message(&event(1));
    broken.headers.remove("cloudEvents_type");
    broker.publish(broken).await;
    broker.publish(message(&event(2))).await;
    let _consumers = task.consume(&broker, Handler::default());
    let (_, _relay) = task.relay(&broker);
    let (headers, _) = dead_letter(&broker).await;
    assert_eq!(headers["bhiv-error-class"], "undecodable");
    assert_eq!(headers["bhiv-queue"], "task.q.crm");
    eventually(async || (task.effects().await == [Uuid::from_u128(2)]).then_some(())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_handler_rules_out_becomes_a_dead_letter_once() {
    let broker = TestBroker::start(&[topology()]).await;
    let task = Service::new(Producer::Task).await;
    let processor = task.processor(Handler { never: true, ..Handler::default() });
    for _ in 0..2 {
        let outcomes = processor.deliver(event(1)).await.unwrap();
        assert_eq!(outcomes, [Outcome::Dead("not in this life".to_owned())]);
    }
    let (_, _relay) = task.relay(&broker);
    assert_eq!(dead_letter(&broker).await.0["bhiv-error-class"], "rejected");
}
