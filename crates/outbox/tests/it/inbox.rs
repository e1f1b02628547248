use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex};

use bhiv_broker::{Deliveries, Fate, Headers, Message, Pace, wire};
use bhiv_clock::Clock;
use bhiv_events::crm::LeadCreated;
use bhiv_events::{Contract as _, Event, Producer};
use bhiv_outbox::{Bindings, Failure, HandleAll, HandleAny, Order, Outcome, Tx};
use bhiv_testing::{TestBroker, eventually};
use diesel::sql_types::{Array, Uuid as SqlUuid};
use uuid::Builder;

use crate::system::{Handler, Service, id, topology};

fn event(n: u128) -> Event {
    let id = id(n);
    Event::around(id, &LeadCreated { lead_id: id, ..LeadCreated::sample() })
}

/// Change number `sequence` of one and the same lead.
fn change(sequence: i64) -> Event {
    let n = u128::try_from(sequence).unwrap();
    Event { subject: "lead/1".to_owned(), sequence, ..event(n) }
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
    let mut letters = Deliveries::open(&broker.connector(), "task.dlq", Pace::Window).await.unwrap();
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
    assert_eq!(task.effects().await, [id(1), id(2)]);
}

/// Never comes to an end.
struct Stuck;

impl HandleAny for Stuck {
    async fn handle_any(&self, _: &mut Tx, _: &Event) -> Result<(), Failure> {
        std::future::pending().await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handler_with_a_lane_does_not_wait_for_the_others() {
    let task = Service::new(Producer::Task).await;
    let leads = [(Producer::Crm, LeadCreated::KIND.routing_key)];
    let bindings = Bindings::new(Producer::Task)
        .on_any("test.stuck", leads, Order::None, Stuck)
        .on("test.effect", Order::None, Handler::default())
        .in_lane("fast");
    let broker = TestBroker::start(&[bindings.topology()]).await;
    let _consumers = task.consume_all(&broker, bindings);
    for n in 1..=3 {
        assert_eq!(broker.publish(message(&event(n))).await, Fate::Delivered);
    }
    eventually(async || (task.effects().await == [id(1), id(2), id(3)]).then_some(())).await;
}

/// Notes how many events it was given at once, and how many of them the other handler had done before.
#[derive(Clone, Default)]
struct Bulk(Arc<Mutex<Vec<(usize, usize)>>>);

impl HandleAll for Bulk {
    async fn handle_all(&self, tx: &mut Tx, events: &[&Event]) -> Result<(), Failure> {
        let ids: Vec<_> = events.iter().map(|event| event.id).collect();
        let done =
            diesel::sql_query("SELECT FROM effects WHERE lead_id = ANY ($1)").bind::<Array<SqlUuid>, _>(ids);
        let done = diesel_async::RunQueryDsl::execute(done, tx.conn()).await?;
        self.0.lock().unwrap().push((events.len(), done));
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_comes_at_the_end_gets_all_at_once_when_the_others_are_done() {
    let task = Service::new(Producer::Task).await;
    let (leads, bulk) = ([(Producer::Crm, LeadCreated::KIND.routing_key)], Bulk::default());
    let bindings = Bindings::new(Producer::Task).on_all("test.bulk", leads, bulk.clone()).at_the_end().on(
        "test.effect",
        Order::None,
        Handler::default(),
    );
    let broker = TestBroker::start(&[bindings.topology()]).await;
    for n in 1..=40 {
        assert_eq!(broker.publish(message(&event(n))).await, Fate::Delivered);
    }
    let _consumers = task.consume_all(&broker, bindings);
    eventually(async || (task.effects().await.len() == 40).then_some(())).await;
    let given = bulk.0.lock().unwrap().clone();
    assert_eq!(given.iter().map(|(events, _)| events).sum::<usize>(), 40);
    assert!(given.iter().all(|(events, done)| events == done), "{given:?}");
    assert!(given.iter().any(|(events, _)| *events > 1), "{given:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_handled_yet_is_parked_and_holds_up_nobody() {
    let task = Service::new(Producer::Task).await;
    let handler = Handler { failures: Arc::new(AtomicUsize::new(1)), ..Handler::default() };
    let processor = task.processor(handler);
    let outcomes = processor.deliver(event(1)).await.unwrap();
    assert_eq!(outcomes, [Outcome::Parked("not yet".to_owned())]);
    assert_eq!(processor.deliver(event(2)).await.unwrap(), [Outcome::Done]);
    assert_eq!(processor.deliver(event(1)).await.unwrap(), [Outcome::Repeated], "it waits in its place");
    assert_eq!(processor.retry_parked().await.unwrap(), 0, "its time has not come");

    task.execute("UPDATE inbox_parked SET next_attempt_at = now()").await;
    assert_eq!(processor.retry_parked().await.unwrap(), 1);
    assert_eq!(task.effects().await, [id(2), id(1)]);
    assert_eq!(task.count("inbox_parked").await, 0);
    assert_eq!(processor.deliver(event(1)).await.unwrap(), [Outcome::Repeated]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_fails_too_often_becomes_a_dead_letter() {
    let broker = TestBroker::start(&[topology()]).await;
    let task = Service::new(Producer::Task).await;
    let handler = Handler { failures: Arc::new(AtomicUsize::new(1_000)), ..Handler::default() };
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
    eventually(async || (task.effects().await == [id(2)]).then_some(())).await;
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

#[tokio::test(flavor = "multi_thread")]
async fn a_handler_that_panics_loses_its_message_to_the_parking_place_only() {
    let broker = TestBroker::start(&[topology()]).await;
    let task = Service::new(Producer::Task).await;
    for n in 1..=5 {
        broker.publish(message(&event(n))).await;
    }
    let handler = Handler { panics_at: Some(id(3)), ..Handler::default() };
    let _consumers = task.consume(&broker, handler);
    eventually(async || (task.effects().await.len() >= 4).then_some(())).await;
    assert_eq!(task.effects().await, [1, 2, 4, 5].map(id));
    assert_eq!(task.text("SELECT error_class AS text FROM inbox_parked").await, "panic");
    let error = task.text("SELECT error AS text FROM inbox_parked").await;
    assert_eq!(error, "the handler panicked: told to");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_latest_only_the_newest_counts_parked_ones_too() {
    let task = Service::new(Producer::Task).await;
    let handler = Handler { failures: Arc::new(AtomicUsize::new(1)), ..Handler::default() };
    let processor = task.processor_with(handler, Order::Latest);
    assert!(matches!(processor.deliver(change(1)).await.unwrap()[..], [Outcome::Parked(_)]));
    assert_eq!(processor.deliver(change(3)).await.unwrap(), [Outcome::Done]);
    assert_eq!(processor.deliver(change(2)).await.unwrap(), [Outcome::Stale]);
    task.execute("UPDATE inbox_parked SET next_attempt_at = now()").await;
    processor.retry_parked().await.unwrap();
    assert_eq!(task.effects().await, [id(3)], "what was parked is older than what was handled since");
    assert_eq!(task.count("inbox_parked").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_strict_everything_counts_in_its_order() {
    let task = Service::new(Producer::Task).await;
    let processor = task.processor_with(Handler::default(), Order::Strict);
    for early in [3, 2, 4] {
        assert!(matches!(processor.deliver(change(early)).await.unwrap()[..], [Outcome::Early(_)]));
    }
    assert!(task.effects().await.is_empty());
    assert_eq!(processor.deliver(change(1)).await.unwrap(), [Outcome::Done]);
    // Each one that is handled hurries the one after it.
    processor.retry_parked().await.unwrap();
    assert_eq!(task.effects().await, [1, 2, 3, 4].map(id));
    assert_eq!(task.count("inbox_parked").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_strict_what_fails_holds_up_its_subject_and_no_other() {
    let task = Service::new(Producer::Task).await;
    let handler = Handler { failures: Arc::new(AtomicUsize::new(1)), ..Handler::default() };
    let processor = task.processor_with(handler, Order::Strict);
    assert!(matches!(processor.deliver(change(1)).await.unwrap()[..], [Outcome::Parked(_)]));
    assert!(matches!(processor.deliver(change(2)).await.unwrap()[..], [Outcome::Early(_)]));
    let other = Event { subject: "lead/2".to_owned(), sequence: 1, ..event(9) };
    assert_eq!(processor.deliver(other).await.unwrap(), [Outcome::Done]);
    task.execute("UPDATE inbox_parked SET next_attempt_at = now() WHERE error_class = 'later'").await;
    processor.retry_parked().await.unwrap();
    assert_eq!(task.effects().await, [9, 1, 2].map(id));
}

#[tokio::test(flavor = "multi_thread")]
async fn of_strict_a_gap_that_stays_becomes_a_dead_letter_that_can_be_put_back() {
    let broker = TestBroker::start(&[topology()]).await;
    let task = Service::new(Producer::Task).await;
    let processor = task.processor_with(Handler::default(), Order::Strict);
    processor.deliver(change(2)).await.unwrap();
    task.execute("UPDATE inbox_parked SET next_attempt_at = now(), attempts = 12").await;
    processor.retry_parked().await.unwrap();
    let (_, _relay) = task.relay(&broker);
    let (headers, _) = dead_letter(&broker).await;
    assert_eq!(headers["bhiv-error-class"], "early");
    assert_eq!(headers["bhiv-error"], "change 2 comes after change 0");

    let mut back = message(&change(2));
    back.headers.insert("bhiv-attempt".to_owned(), "2".to_owned());
    broker.publish(back).await;
    let _consumers = task.consume_with(&broker, Handler::default(), Order::Strict);
    eventually(async || (task.effects().await == [id(2)]).then_some(())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_older_than_the_memory_is_not_handled_unless_an_operator_wants_it() {
    let broker = TestBroker::start(&[topology()]).await;
    let task = Service::new(Producer::Task).await;
    let long_ago = u64::try_from(Clock::system().now().timestamp_millis()).unwrap() - 40 * 86_400_000;
    let old = Builder::from_unix_timestamp_millis(long_ago, &[7; 10]).into_uuid();
    let event = Event::around(old, &LeadCreated { lead_id: old, ..LeadCreated::sample() });
    broker.publish(message(&event)).await;
    let _consumers = task.consume(&broker, Handler::default());
    let (_, _relay) = task.relay(&broker);
    let (headers, _) = dead_letter(&broker).await;
    assert_eq!(headers["bhiv-error-class"], "too-old");
    assert_eq!(headers["bhiv-error"], "it is 40 days old: it may have been handled");

    let mut back = message(&event);
    back.headers.insert("bhiv-attempt".to_owned(), "2".to_owned());
    broker.publish(back).await;
    eventually(async || (task.effects().await == [old]).then_some(())).await;
}
