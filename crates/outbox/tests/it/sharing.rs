//! Commands that come together share a commit, and nobody's fate.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bhiv_db::Error;
use bhiv_events::Producer;
use bhiv_outbox::{Command, Fault, Origin, Refusal, Tx};
use futures_util::future::join_all;
use uuid::Uuid;

use crate::system::Service;

/// Inserts a row.
#[derive(Clone, Default)]
struct Insert {
    refuses: bool,
    panics: bool,
    runs: Arc<AtomicUsize>,
}

#[derive(Debug, thiserror::Error)]
#[error("no")]
struct No;

impl Refusal for No {}

impl Command for Insert {
    type Output = Uuid;
    type Refusal = No;

    async fn run(&self, tx: &mut Tx) -> Result<Uuid, Fault<No>> {
        self.runs.fetch_add(1, Ordering::SeqCst);
        assert!(!self.panics, "told to");
        let id = tx.id();
        let insert = diesel::sql_query("INSERT INTO effects VALUES ($1)");
        let insert = insert.bind::<diesel::sql_types::Uuid, _>(id);
        diesel_async::RunQueryDsl::execute(insert, tx.conn()).await?;
        if self.refuses { Err(No.into()) } else { Ok(id) }
    }
}

async fn run(service: &Service, commands: Vec<Insert>) -> Vec<Result<Uuid, Fault<No>>> {
    let origin = Origin { actor: "user/test".to_owned(), ..Origin::default() };
    join_all(commands.into_iter().map(|command| service.transactor.run(origin.clone(), command))).await
}

#[tokio::test(flavor = "multi_thread")]
async fn those_that_come_together_are_committed_together() {
    let crm = Service::new(Producer::Crm).await;
    for result in run(&crm, vec![Insert::default(); 100]).await {
        result.unwrap();
    }
    assert_eq!(crm.count("effects").await, 100);
    let commits = crm.count("(SELECT DISTINCT xmin::text FROM effects) AS commits").await;
    assert!(commits < 50, "{commits} commits for 100 commands");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_is_refused_or_panics_takes_nobody_along() {
    let crm = Service::new(Producer::Crm).await;
    let mut commands = vec![Insert::default(); 60];
    commands[20].refuses = true;
    commands[40].panics = true;
    for (number, result) in run(&crm, commands).await.into_iter().enumerate() {
        match number {
            20 => assert!(matches!(result, Err(Fault::Refused(No)))),
            40 => assert!(matches!(result, Err(Fault::Database(_)))),
            _ => assert!(result.is_ok(), "{number}: {result:?}"),
        }
    }
    assert_eq!(crm.count("effects").await, 58);
}

/// Nobody knows then whether it was committed, so that to run a command again might do it twice.
#[tokio::test(flavor = "multi_thread")]
async fn when_the_answer_to_the_commit_is_lost_nothing_is_run_again() {
    let crm = Service::new(Producer::Crm).await;
    crm.execute(
        "CREATE FUNCTION hang_up() RETURNS trigger LANGUAGE plpgsql AS
         $$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END $$",
    )
    .await;
    crm.execute(
        "CREATE CONSTRAINT TRIGGER at_commit AFTER INSERT ON effects DEFERRABLE INITIALLY DEFERRED
         FOR EACH ROW EXECUTE FUNCTION hang_up()",
    )
    .await;
    let runs = Arc::<AtomicUsize>::default();
    let command = Insert { runs: Arc::clone(&runs), ..Insert::default() };
    for result in run(&crm, vec![command; 40]).await {
        assert!(matches!(result, Err(Fault::Database(Error::Unavailable(_)))), "{result:?}");
    }
    assert_eq!(runs.load(Ordering::SeqCst), 40);
}
