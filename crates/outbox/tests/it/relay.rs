use std::time::Duration;

use bhiv_broker::Connector;
use bhiv_events::Producer;
use bhiv_outbox::RelayState;
use bhiv_settings::Secret;
use bhiv_testing::{TestBroker, eventually};

use tokio::net::TcpListener;
use tokio::time::timeout;

use crate::system::{Handler, Service, topology};

#[tokio::test(flavor = "multi_thread")]
async fn every_event_arrives_once_and_in_order() {
    let broker = TestBroker::start(&[topology()]).await;
    let (crm, task) = (Service::new(Producer::Crm).await, Service::new(Producer::Task).await);
    let before = crm.create_leads(300).await;
    let _consumers = task.consume(&broker, Handler::default());
    let (_, _relay) = crm.relay(&broker);
    let after = crm.create_leads(50).await;

    let wanted = [before, after].concat();
    eventually(async || (task.effects().await.len() >= wanted.len()).then_some(())).await;
    assert_eq!(task.effects().await, wanted);
    eventually(async || (crm.count("outbox").await == 0).then_some(())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_relay_leads_and_another_takes_over() {
    let broker = TestBroker::start(&[topology()]).await;
    let (crm, task) = (Service::new(Producer::Crm).await, Service::new(Producer::Task).await);
    let _consumers = task.consume(&broker, Handler::default());
    let (mut first, _one) = crm.relay(&broker);
    first.wait_for(|state| *state == RelayState::Leader).await.unwrap();
    let (mut second, _two) = crm.relay(&broker);
    second.wait_for(|state| *state == RelayState::Follower).await.unwrap();

    // The server ends the leader's session, and with it the lead.
    let key = "hashtextextended(current_schema() || '.outbox.0', 0)";
    crm.execute(&format!(
        "SELECT pg_terminate_backend(pid) FROM pg_locks
         WHERE locktype = 'advisory' AND (classid::bigint << 32 | objid::bigint) = {key}"
    ))
    .await;
    let leads = crm.create_leads(20).await;
    eventually(async || (task.effects().await.len() >= leads.len()).then_some(())).await;
    assert_eq!(task.effects().await, leads);
    let states = [first.borrow().clone(), second.borrow().clone()];
    assert_eq!(states.iter().filter(|state| **state == RelayState::Leader).count(), 1, "{states:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leader_to_whom_nobody_listens_makes_way() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    makes_way(&format!("amqp://{address}")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leader_whose_broker_says_nothing_makes_way() {
    // The system accepts for it, and nobody ever answers.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    makes_way(&format!("amqp://{}", listener.local_addr().unwrap())).await;
    drop(listener);
}

/// The leader reaches only `away`, the other replica the broker.
async fn makes_way(away: &str) {
    let broker = TestBroker::start(&[topology()]).await;
    let (crm, task) = (Service::new(Producer::Crm).await, Service::new(Producer::Task).await);
    let _consumers = task.consume(&broker, Handler::default());
    let (mut first, one) = crm.relay_over(Connector::new(&Secret::from(away.to_owned()), "away"));
    first.wait_for(|state| *state == RelayState::Leader).await.unwrap();
    let (mut second, _two) = crm.relay(&broker);
    second.wait_for(|state| *state == RelayState::Follower).await.unwrap();

    let leads = crm.create_leads(20).await;
    let taken_over = second.wait_for(|state| *state == RelayState::Leader);
    timeout(Duration::from_secs(20), taken_over).await.unwrap().unwrap();
    eventually(async || (task.effects().await.len() >= leads.len()).then_some(())).await;
    assert_eq!(task.effects().await, leads);
    assert_eq!(*first.borrow(), RelayState::Follower);
    // Whoever stands back ends as promptly as anybody else.
    drop(one);
    timeout(Duration::from_secs(2), async { while first.changed().await.is_ok() {} }).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_no_queue_wants_is_parked_until_one_does() {
    let broker = TestBroker::start(&[]).await;
    let (crm, task) = (Service::new(Producer::Crm).await, Service::new(Producer::Task).await);
    broker.admin.declare(&bhiv_broker::topology::Topology::new(Producer::Crm, [])).await.unwrap();
    let (_, _relay) = crm.relay(&broker);
    let leads = crm.create_leads(3).await;
    eventually(async || (crm.count("outbox_parked").await == 3).then_some(())).await;
    assert_eq!(crm.count("outbox").await, 0);
    let reason = crm.text("SELECT min(last_error) AS text FROM outbox_parked").await;
    assert!(reason.contains("NO_ROUTE"), "{reason}");

    broker.admin.declare(&topology()).await.unwrap();
    let _consumers = task.consume(&broker, Handler::default());
    crm.execute("UPDATE outbox_parked SET next_attempt_at = now()").await;
    eventually(async || (task.effects().await.len() == leads.len()).then_some(())).await;
    assert_eq!(crm.count("outbox_parked").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_costs_the_channel_is_found_out_and_the_others_flow() {
    let broker = TestBroker::start(&[topology()]).await;
    let (crm, task) = (Service::new(Producer::Crm).await, Service::new(Producer::Task).await);
    let _consumers = task.consume(&broker, Handler::default());
    let mut leads = crm.create_leads(5).await;
    // An exchange that is not there closes the channel, and all that is under way with it.
    crm.create_leads(1).await;
    crm.execute("UPDATE outbox SET exchange = 'nowhere' WHERE id = (SELECT max(id) FROM outbox)").await;
    leads.extend(crm.create_leads(5).await);

    let (_, _relay) = crm.relay(&broker);
    eventually(async || (task.effects().await.len() >= leads.len()).then_some(())).await;
    assert_eq!(task.effects().await, leads, "the others arrive once and in order");
    eventually(async || (crm.count("outbox_parked").await == 1).then_some(())).await;
    assert_eq!(crm.count("outbox").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_broker_connection_loses_nothing() {
    let broker = TestBroker::start(&[topology()]).await;
    let (crm, task) = (Service::new(Producer::Crm).await, Service::new(Producer::Task).await);
    let _consumers = task.consume(&broker, Handler::default());
    let (_, _relay) = crm.relay(&broker);
    let mut leads = crm.create_leads(50).await;
    broker.close_connections().await;
    leads.extend(crm.create_leads(50).await);
    eventually(async || (task.effects().await.len() >= leads.len()).then_some(())).await;
    let mut effects = task.effects().await;
    effects.sort_unstable();
    leads.sort_unstable();
    assert_eq!(effects, leads);
}
