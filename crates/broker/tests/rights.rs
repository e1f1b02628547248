//! A service's user may do what its topology needs, and nothing else.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use bhiv_broker::topology::Topology;
use bhiv_broker::{Connector, Deliveries, Fate, Message, Pace, Publisher, Tail};
use bhiv_events::Producer;
use bhiv_testing::TestBroker;
use uuid::Uuid;

async fn publish(connector: &Connector, exchange: &str, routing_key: &str) -> Fate {
    let message = Message {
        exchange: exchange.to_owned(),
        routing_key: routing_key.to_owned(),
        id: Uuid::from_u128(1),
        headers: [("cloudEvents_type".to_owned(), "bhiv.crm.lead.created.v1".to_owned())].into(),
        body: b"{}".to_vec(),
    };
    Publisher::open(connector).await.unwrap().publish(&[message]).await.pop().unwrap()
}

fn is_forbidden(fate: &Fate) -> bool {
    matches!(fate, Fate::Refused(reason) if reason.contains("ACCESS_REFUSED"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_publishes_and_reads_only_its_own() {
    let crm = Topology::new(Producer::Crm, [(Producer::Task, "task.task.completed.v1")]);
    let task = Topology::new(Producer::Task, [(Producer::Crm, "crm.lead.created.v1")]);
    let broker = TestBroker::start(&[crm.clone(), task]).await;
    let url = broker.url_for("crm-of-a-test", "secret");
    broker.admin.grant(&url, &crm).await.unwrap();
    let connector = Connector::new(&url, "crm");

    assert_eq!(publish(&connector, "bhiv.crm", "crm.lead.created.v1").await, Fate::Delivered);
    for (exchange, key) in [
        ("bhiv.task", "task.task.completed.v1"),
        ("bhiv.crm", "task.task.completed.v1"),
        ("bhiv.dlx", "task.rejected"),
        ("bhiv.requeue", "crm.q.task"),
        ("", "task.q.crm"),
    ] {
        let fate = publish(&connector, exchange, key).await;
        assert!(is_forbidden(&fate), "{exchange} {key}: {fate:?}");
    }

    assert!(Deliveries::open(&connector, "crm.q.task", Pace::Window).await.is_ok());
    for queue in ["task.q.crm", "task.dlq"] {
        let refused = Deliveries::open(&connector, queue, Pace::Window).await.unwrap_err().to_string();
        assert!(refused.contains("ACCESS_REFUSED"), "{queue}: {refused}");
    }
    let refused = Tail::open(&connector, "ops.tail", &["bhiv.crm"], "#").await.unwrap_err().to_string();
    assert!(refused.contains("ACCESS_REFUSED"), "a service declares nothing: {refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn declaring_again_removes_what_is_no_longer_wanted() {
    let topology =
        |keys: &[&'static str]| Topology::new(Producer::Task, keys.iter().map(|key| (Producer::Crm, *key)));
    let broker = TestBroker::start(&[topology(&["crm.a.b.v1", "crm.c.d.v1"])]).await;
    broker.admin.declare(&topology(&["crm.c.d.v1", "crm.e.f.v1"])).await.unwrap();
    let connector = broker.connector();
    assert!(matches!(publish(&connector, "bhiv.crm", "crm.a.b.v1").await, Fate::Refused(_)));
    assert_eq!(publish(&connector, "bhiv.crm", "crm.c.d.v1").await, Fate::Delivered);
    assert_eq!(publish(&connector, "bhiv.crm", "crm.e.f.v1").await, Fate::Delivered);
}
