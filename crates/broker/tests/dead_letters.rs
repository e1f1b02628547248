//! Looking at dead letters changes nothing; what is not selected stays in its place.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use bhiv_broker::dead_letters::{DeadLetters, Letter, NotBack};
use bhiv_broker::topology::Topology;
use bhiv_broker::{Connector, Error, Fate, Message, Publisher};
use bhiv_events::Producer;
use bhiv_testing::{TestBroker, eventually};
use uuid::Uuid;

/// More than a quorum queue keeps in order by accident.
const MANY: u128 = 300;

/// A broker with dead letters of task, whose ids are `1..=count`.
async fn broker_with_letters(count: u128) -> TestBroker {
    let topology = Topology::new(Producer::Task, [(Producer::Crm, "crm.lead.created.v1")]);
    let broker = TestBroker::start(&[topology]).await;
    let mut publisher = Publisher::open(&broker.connector()).await.unwrap();
    let letters: Vec<_> = (1..=count).map(|id| letter(id, "task.q.crm")).collect();
    assert!(publisher.publish(&letters).await.iter().all(|fate| *fate == Fate::Delivered));
    broker
}

fn letter(id: u128, queue: &str) -> Message {
    let headers = [("bhiv-queue", queue), ("bhiv-error-class", "rejected")];
    Message {
        exchange: "bhiv.dlx".to_owned(),
        routing_key: "task.rejected".to_owned(),
        id: Uuid::from_u128(id),
        headers: headers.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
        body: b"{}".to_vec(),
    }
}

async fn open(connector: &Connector) -> (DeadLetters, Vec<Letter>) {
    let mut dead = DeadLetters::open(connector, "task").await.unwrap();
    let letters = dead.take();
    (dead, letters)
}

fn ids(letters: &[Letter]) -> Vec<u128> {
    letters.iter().map(|letter| letter.message_id.parse::<Uuid>().unwrap().as_u128()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn letters_may_be_looked_at_any_number_of_times() {
    let broker = broker_with_letters(MANY).await;
    for _ in 0..25 {
        let (dead, letters) = open(&broker.connector()).await;
        assert_eq!(ids(&letters), (1..=MANY).collect::<Vec<_>>());
        dead.close().await.unwrap();
    }
    // A reader that is cut off changes nothing either.
    let connector = broker.connector();
    let (dead, _) = open(&connector).await;
    connector.close().await;
    drop(dead);
    assert_eq!(ids(&open(&broker.connector()).await.1), (1..=MANY).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_removed_is_gone_and_the_others_keep_their_places() {
    let broker = broker_with_letters(MANY).await;
    let (mut dead, letters) = open(&broker.connector()).await;
    for letter in letters.iter().filter(|letter| !letter.message_id.ends_with('5')) {
        dead.remove(letter).await.unwrap();
    }
    dead.close().await.unwrap();
    let left: Vec<u128> = (1..=MANY).filter(|id| id % 16 == 5).collect();
    for _ in 0..2 {
        let (dead, letters) = open(&broker.connector()).await;
        assert_eq!(ids(&letters), left);
        dead.close().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_queue_takes_stays_a_dead_letter() {
    let broker = broker_with_letters(1).await;
    assert_eq!(broker.publish(letter(2, "task.q.gone")).await, Fate::Delivered);
    let connector = broker.connector();
    let (mut dead, letters) = open(&connector).await;
    let refused = dead.put_back(&letters[1]).await.unwrap_err();
    assert!(matches!(&refused, NotBack::Refused(reason) if reason.contains("NO_ROUTE")), "{refused}");
    dead.put_back(&letters[0]).await.unwrap();
    dead.remove(&letters[0]).await.unwrap();
    dead.close().await.unwrap();
    assert_eq!(ids(&open(&connector).await.1), [2]);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_operator_at_a_time() {
    let broker = broker_with_letters(1).await;
    let (dead, _) = open(&broker.connector()).await;
    let busy = DeadLetters::open(&broker.connector(), "task").await.unwrap_err();
    assert!(matches!(busy, Error::Busy(_)), "{busy}");
    dead.close().await.unwrap();
    open(&broker.connector()).await;
    let missing = DeadLetters::open(&broker.connector(), "crm").await.unwrap_err();
    assert!(matches!(missing, Error::Missing(_)), "{missing}");
}

#[tokio::test(flavor = "multi_thread")]
async fn queues_say_how_they_are_doing() {
    let broker = broker_with_letters(3).await;
    let queue = eventually(async || {
        let queues = broker.admin.queues().await.unwrap();
        queues.into_iter().find(|queue| queue.name == "task.dlq" && queue.messages_ready == 3)
    })
    .await;
    assert_eq!((queue.messages_unacknowledged, queue.consumers), (0, 0));
}
