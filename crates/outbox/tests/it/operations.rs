use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use bhiv_broker::dead_letters::{DeadLetters, Letter};
use bhiv_broker::{Connector, Fate, Message, wire};
use bhiv_events::crm::LeadCreated;
use bhiv_events::{Contract as _, Event, Producer};
use bhiv_outbox::operations::{Action, MOST_WAITING, RecordActions, Retry, Status};
use bhiv_outbox::{Origin, Outcome, measure_backlog, operations};
use bhiv_testing::{TestBroker, TestDatabase, eventually};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::system::{Guard, Handler, Service, id, number, topology};

fn event(n: u128) -> Event {
    let id = id(n);
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

/// What the broker makes of a message that exceeds the delivery limit.
fn limit_letter(event: &Event) -> Message {
    let mut letter = message(event);
    letter.exchange = "bhiv.dlx".to_owned();
    letter.routing_key = "task.limit".to_owned();
    letter.headers.insert("x-first-death-queue".to_owned(), "task.q.crm".to_owned());
    letter.headers.insert("x-first-death-reason".to_owned(), "delivery_limit".to_owned());
    letter
}

/// The dead letters of task, once there are so many.
async fn letters(connector: &Connector, count: usize) -> (DeadLetters, Vec<Letter>) {
    eventually(async || {
        let mut dead = DeadLetters::open(connector, "task").await.unwrap();
        let letters = dead.take();
        if letters.len() == count {
            return Some((dead, letters));
        }
        dead.close().await.unwrap();
        None
    })
    .await
}

fn ids(letters: &[Letter]) -> Vec<u128> {
    letters.iter().map(|letter| number(letter.message_id.parse().unwrap())).collect()
}

/// Task with a dead letter for each of these events, which its handler ruled out.
async fn task_with_dead_letters(broker: &TestBroker, events: &[u128]) -> Service {
    let task = Service::new(Producer::Task).await;
    let consumers = task.consume(broker, Handler { never: true, ..Handler::default() });
    let (_, _relay) = task.relay(broker);
    for id in events {
        assert_eq!(broker.publish(message(&event(*id))).await, Fate::Delivered);
    }
    let (dead, _) = letters(&broker.connector(), events.len()).await;
    dead.close().await.unwrap();
    stop(broker, consumers).await;
    task
}

/// Stops consumers and waits until their queue is free for others.
async fn stop(broker: &TestBroker, consumers: Guard) {
    drop(consumers);
    eventually(async || {
        let queues = broker.admin.queues().await.unwrap();
        queues.iter().all(|queue| queue.consumers == 0).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_letter_that_is_put_back_is_handled_once() {
    let broker = TestBroker::start(&[topology()]).await;
    let task = task_with_dead_letters(&broker, &[1]).await;
    let connector = broker.connector();
    let (mut dead, found) = letters(&connector, 1).await;
    let letter = &found[0];
    assert_eq!((letter.class.as_str(), letter.error.as_str()), ("rejected", "not in this life"));
    assert_eq!((letter.queue.as_deref(), letter.attempts, letter.attempt), (Some("task.q.crm"), Some(1), 1));
    assert_eq!(letter.event, Ok(event(1)), "the original is whole");

    // As if the tool died after the confirm, and another one began anew.
    dead.put_back(letter).await.unwrap();
    dead.close().await.unwrap();
    let (mut dead, found) = letters(&connector, 1).await;
    assert_eq!(found[0].attempt, 1, "the letter itself did not change");
    dead.put_back(&found[0]).await.unwrap();
    dead.remove(&found[0]).await.unwrap();
    dead.close().await.unwrap();
    assert_eq!(ids(&letters(&connector, 0).await.1), []);

    let _consumers = task.consume(&broker, Handler::default());
    // What comes after both copies: when it is handled, they are.
    broker.publish(message(&event(2))).await;
    eventually(async || task.effects().await.contains(&id(2)).then_some(())).await;
    assert_eq!(task.effects().await, [id(1), id(2)]);
    assert_eq!(task.count("inbox WHERE consumer = 'test.effect'").await, 2, "the id is that of the original");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_letter_that_fails_again_says_that_it_is_its_second_attempt() {
    let broker = TestBroker::start(&[topology()]).await;
    let task = task_with_dead_letters(&broker, &[1]).await;
    let connector = broker.connector();
    let (_, _relay) = task.relay(&broker);
    let (mut dead, found) = letters(&connector, 1).await;
    for _ in 0..2 {
        dead.put_back(&found[0]).await.unwrap();
    }
    dead.remove(&found[0]).await.unwrap();
    dead.close().await.unwrap();

    let _consumers = task.consume(&broker, Handler { never: true, ..Handler::default() });
    let (_, found) = letters(&connector, 1).await;
    assert_eq!(
        (ids(&found), found[0].attempt),
        (vec![1], 2),
        "two copies of one attempt are one dead letter"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_selected_stays_in_its_place() {
    let broker = TestBroker::start(&[topology()]).await;
    let task = task_with_dead_letters(&broker, &[1, 2, 3, 4, 5]).await;
    let connector = broker.connector();
    let (mut dead, found) = letters(&connector, 5).await;
    assert_eq!(ids(&found), [1, 2, 3, 4, 5]);
    dead.put_back(&found[3]).await.unwrap();
    dead.remove(&found[3]).await.unwrap();
    // Dropped, not put back.
    dead.remove(&found[0]).await.unwrap();
    dead.close().await.unwrap();

    let _consumers = task.consume(&broker, Handler::default());
    eventually(async || (!task.effects().await.is_empty()).then_some(())).await;
    assert_eq!(ids(&letters(&connector, 3).await.1), [2, 3, 5]);
    assert_eq!(task.effects().await, [id(4)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_broker_gave_up_on_finds_its_queue() {
    let broker = TestBroker::start(&[topology()]).await;
    let task = Service::new(Producer::Task).await;
    assert_eq!(broker.publish(limit_letter(&event(1))).await, Fate::Delivered);
    let (mut dead, found) = letters(&broker.connector(), 1).await;
    assert_eq!((found[0].class.as_str(), found[0].queue.as_deref()), ("limit", Some("task.q.crm")));
    dead.put_back(&found[0]).await.unwrap();
    dead.remove(&found[0]).await.unwrap();
    dead.close().await.unwrap();
    let _consumers = task.consume(&broker, Handler::default());
    eventually(async || (task.effects().await == [id(1)]).then_some(())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_parked_message_is_tried_again_when_an_operator_says_so() {
    let task = Service::new(Producer::Task).await;
    let processor = task.processor(Handler { failures: Arc::new(AtomicUsize::new(2)), ..Handler::default() });
    for id in [1, 2] {
        let outcomes = processor.deliver(event(id)).await.unwrap();
        assert_eq!(outcomes, [Outcome::Parked("not yet".to_owned())]);
    }
    // As after some tries: not to be due by itself while this runs.
    task.execute("UPDATE inbox_parked SET next_attempt_at = now() + interval '1 hour'").await;
    let parked = operations::parked_in(&mut task.database.connect().await, 10).await.unwrap();
    let seen: Vec<_> = parked.iter().map(|row| (number(row.message_id), row.error.as_str())).collect();
    assert_eq!(seen, [(1, "not yet"), (2, "not yet")]);

    let retried = retry(&task, Some(vec![id(2), id(9)])).await;
    assert_eq!(retried.incoming.len(), 1);
    assert_eq!(retried.incoming[0].message_id, id(2));
    assert_eq!(processor.retry_parked().await.unwrap(), 1);
    assert_eq!(task.effects().await, [id(2)]);
    retry(&task, None).await;
    assert_eq!(processor.retry_parked().await.unwrap(), 1);
    assert_eq!(task.effects().await, [id(2), id(1)]);

    let audits = audits(&task).await;
    let entities: Vec<_> = audits.iter().map(|audit| audit["entity"].as_str().unwrap()).collect();
    assert_eq!(entities, [2, 1].map(|n| format!("message/{}", id(n))));
    assert_eq!(audits[0]["action"], "parked.retry");
    assert_eq!(audits[0]["after"]["error"], "not yet");
}

async fn retry(service: &Service, ids: Option<Vec<Uuid>>) -> operations::Retried {
    service.transactor.run(operator(), Retry { ids }).await.unwrap()
}

fn operator() -> Origin {
    Origin { actor: "operator/asha".to_owned(), ..Origin::default() }
}

/// The audit rows in the outbox.
async fn audits(service: &Service) -> Vec<Value> {
    let rows = service
        .text(
            "SELECT coalesce(jsonb_agg(convert_from(payload, 'UTF8')::jsonb ORDER BY id), '[]')::text AS text
             FROM outbox WHERE routing_key LIKE '%.audit.recorded.v1'",
        )
        .await;
    serde_json::from_str(&rows).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_operator_is_about_to_do_is_recorded() {
    let task = Service::new(Producer::Task).await;
    let action = |id: u32| Action {
        action: "dlq.redrive".to_owned(),
        entity: format!("message/{id}"),
        after: json!({"class": "rejected", "queue": "task.q.crm", "error": "no"}),
    };
    task.transactor.run(operator(), RecordActions(vec![action(1), action(2)])).await.unwrap();
    let audits = audits(&task).await;
    assert_eq!(audits.len(), 2);
    assert_eq!((&audits[1]["action"], &audits[1]["entity"]), (&json!("dlq.redrive"), &json!("message/2")));
    assert_eq!(audits[1]["after"]["queue"], "task.q.crm");
    let actor = task.text("SELECT min(headers ->> 'cloudEvents_actor') AS text FROM outbox").await;
    assert_eq!(actor, "operator/asha");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_status_says_what_waits_and_who_leads() {
    let broker = TestBroker::start(&[topology()]).await;
    let crm = Service::new(Producer::Crm).await;
    let quiet = status(&crm).await;
    assert_eq!((quiet.waiting, quiet.oldest_seconds, quiet.leader), (0, None, None));
    assert_eq!((quiet.parked_in, quiet.parked_in_oldest_seconds, quiet.inbox_rows), (0, None, None));

    crm.create_leads(3).await;
    crm.execute("UPDATE outbox SET created_at = now() - interval '1 minute'").await;
    crm.execute("INSERT INTO inbox SELECT gen_random_uuid(), 'test' FROM generate_series(1, 50)").await;
    crm.execute("ANALYZE inbox").await;
    let behind = status(&crm).await;
    assert_eq!((behind.waiting, behind.inbox_rows), (3, Some(50)));
    assert!((60.0..90.0).contains(&behind.oldest_seconds.unwrap()));

    crm.execute("UPDATE outbox SET exchange = 'nowhere'").await;
    let (_, _relay) = crm.relay(&broker);
    let refused = eventually(async || Some(status(&crm).await).filter(|status| status.parked_out == 3)).await;
    assert_eq!(refused.waiting, 0);
    assert_eq!(refused.leader.unwrap().name, "postgres");
    let parked = operations::parked_out(&mut crm.database.connect().await, 10).await.unwrap();
    assert_eq!(parked[0].routing_key, LeadCreated::KIND.routing_key);
    assert!(parked[0].last_error.contains("nowhere"), "{}", parked[0].last_error);

    // Operators see another one's leader as nobody's: the lock is that of the schema.
    assert_eq!(status(&Service::new(Producer::Task).await).await.leader, None);
    let nowhere = TestDatabase::empty().await;
    assert_eq!(operations::status(&mut nowhere.connect().await).await.unwrap(), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_outbox_is_not_counted_to_its_end() {
    let crm = Service::new(Producer::Crm).await;
    crm.execute(
        "INSERT INTO outbox (event_id, exchange, routing_key, subject, sequence, headers, payload)
         SELECT gen_random_uuid(), '', '', '', 1, '{}', '' FROM generate_series(1, 10500)",
    )
    .await;
    assert_eq!(status(&crm).await.waiting, MOST_WAITING + 1);
}

async fn status(service: &Service) -> Status {
    operations::status(&mut service.database.connect().await).await.unwrap().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_measures_does_not_wait_for_the_broker_when_it_stops() {
    let service = Service::new(Producer::Task).await;
    // It accepts connections, and says nothing.
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("amqp://u:p@{}/%2f", silent.local_addr().unwrap()).into();
    let (connector, stop) = (Connector::new(&url, "test"), CancellationToken::new());
    let measuring = measure_backlog(service.pool.clone(), connector, "task.dlq".to_owned(), stop.clone());
    let measuring = tokio::spawn(measuring);
    let _connection = silent.accept().await.unwrap();
    let stopped = std::time::Instant::now();
    stop.cancel();
    measuring.await.unwrap();
    assert!(stopped.elapsed() < std::time::Duration::from_secs(1), "{:?}", stopped.elapsed());
}
