use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bhiv_events::crm::LeadCreated;
use bhiv_events::{Contract as _, Producer};
use bhiv_outbox::{Command, Fault, Idempotency, Origin, Refusal, Tx};
use diesel_async::RunQueryDsl as _;
use futures_util::future::join_all;
use uuid::Uuid;

use crate::system::Service;

/// Records a lead; refuses the first so many times.
#[derive(Clone, Debug, Default)]
struct CreateLead {
    refusals: Arc<AtomicUsize>,
}

#[derive(Debug, thiserror::Error)]
#[error("not now")]
struct NotNow;

impl Refusal for NotNow {}

impl Command for CreateLead {
    type Output = Uuid;
    type Refusal = NotNow;

    async fn run(&self, tx: &mut Tx) -> Result<Uuid, Fault<NotNow>> {
        let lead_id = tx.id();
        tx.record(1, &LeadCreated { lead_id, ..LeadCreated::sample() });
        let fewer = |left: usize| left.checked_sub(1);
        if self.refusals.fetch_update(Ordering::SeqCst, Ordering::SeqCst, fewer).is_ok() {
            return Err(NotNow.into());
        }
        Ok(lead_id)
    }
}

fn origin(actor: &str, key: &str, request: &[u8]) -> (Origin, Idempotency) {
    let idempotency = Idempotency::new(key, request);
    let origin =
        Origin { actor: actor.to_owned(), idempotency: Some(idempotency.clone()), ..Origin::default() };
    (origin, idempotency)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repetition_gets_the_same_answer_and_does_nothing() {
    let crm = Service::new(Producer::Crm).await;
    let (first, key) = origin("user/1", "k", b"request");
    let id = crm.transactor.run(first, CreateLead::default()).await.unwrap();
    assert!(!key.was_replayed());
    let (again, key) = origin("user/1", "k", b"request");
    assert_eq!(crm.transactor.run(again, CreateLead::default()).await.unwrap(), id);
    assert!(key.was_replayed());
    assert_eq!(crm.count("outbox").await, 1);

    let (other, _) = origin("user/1", "k", b"another request");
    assert!(matches!(crm.transactor.run(other, CreateLead::default()).await, Err(Fault::KeyReused)));
    let (somebody, key) = origin("user/2", "k", b"request");
    assert_ne!(crm.transactor.run(somebody, CreateLead::default()).await.unwrap(), id);
    assert!(!key.was_replayed(), "keys belong to whoever uses them");
}

#[tokio::test(flavor = "multi_thread")]
async fn sixteen_at_once_have_one_effect() {
    let crm = Service::new(Producer::Crm).await;
    let runs =
        (0..16).map(|_| crm.transactor.run(origin("user/1", "k", b"request").0, CreateLead::default()));
    let answers: Vec<_> = join_all(runs).await.into_iter().map(Result::unwrap).collect();
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
    assert_eq!(crm.count("outbox").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_under_way_is_waited_for_but_not_for_long() {
    let crm = Service::new(Producer::Crm).await;
    let mut other = crm.database.connect().await;
    for statement in [
        "BEGIN",
        "SELECT pg_advisory_xact_lock(hashtextextended(concat_ws(E'\\n', current_schema(), 'user/1', 'k'), 1))",
    ] {
        diesel::sql_query(statement).execute(&mut other).await.unwrap();
    }
    let run = || crm.transactor.run(origin("user/1", "k", b"request").0, CreateLead::default());
    assert!(matches!(run().await, Err(Fault::InFlight)));
    assert_eq!(crm.count("outbox").await, 0);

    let (waiting, ()) = tokio::join!(run(), async {
        diesel::sql_query("ROLLBACK").execute(&mut other).await.unwrap();
    });
    waiting.unwrap();
    assert_eq!(crm.count("outbox").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_refused_may_be_repeated() {
    let crm = Service::new(Producer::Crm).await;
    let command = CreateLead { refusals: Arc::new(AtomicUsize::new(1)) };
    let run = || crm.transactor.run(origin("user/1", "k", b"request").0, command.clone());
    assert!(matches!(run().await, Err(Fault::Refused(NotNow))));
    assert_eq!(crm.count("idempotency_keys").await, 0);
    run().await.unwrap();
    assert_eq!(crm.count("outbox").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_are_kept_for_a_day() {
    let crm = Service::new(Producer::Crm).await;
    for key in ["young", "old"] {
        crm.transactor.run(origin("user/1", key, b"request").0, CreateLead::default()).await.unwrap();
    }
    let age = "UPDATE idempotency_keys SET created_at = now() - interval '25 hours' WHERE key = 'old'";
    Service::execute(&crm, age).await;
    crm.clean().await;
    assert_eq!(crm.text("SELECT string_agg(key, ',') AS text FROM idempotency_keys").await, "young");
}
