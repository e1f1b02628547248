use bhiv_clock::Clock;
use bhiv_db::{Conn, Migrations, Pool};
use bhiv_events::compliance::ErasureRequested;
use bhiv_events::crm::LeadCreated;
use bhiv_events::{Contract as _, Event, PersonErased, Producer};
use bhiv_outbox::{
    Bindings, Column, ERASURE, Failure, HISTORY, Handle, MIGRATIONS, Order, Outcome, Processor, Tx, Wake,
};
use bhiv_testing::TestDatabase;
use chrono::TimeDelta;
use diesel::sql_types::Text;
use diesel_async::RunQueryDsl as _;
use uuid::Uuid;

/// Keeps the names of leads, until they are to be forgotten.
struct Keep;

impl Handle<LeadCreated> for Keep {
    async fn handle(&self, tx: &mut Tx, event: &Event, lead: LeadCreated) -> Result<(), Failure> {
        if tx.mentions_erased(event).await? {
            return Ok(());
        }
        diesel::sql_query("INSERT INTO people VALUES ($1)")
            .bind::<Text, _>(lead.name)
            .execute(tx.conn())
            .await?;
        Ok(())
    }
}

impl Handle<ErasureRequested> for Keep {
    async fn handle(&self, tx: &mut Tx, _: &Event, request: ErasureRequested) -> Result<(), Failure> {
        let mut erasure = tx.begin_erasure(&request).await?;
        erasure.words(["Asha Verma"]);
        let people = erasure.delete_telling(tx.conn(), Column::text("people", "name")).await?;
        erasure.removed("people", people);
        let notes = erasure.redact(tx.conn(), Column::json("notes", "note")).await?;
        erasure.removed("notes", notes);
        tx.finish_erasure(erasure).await?;
        Ok(())
    }
}

struct Crm {
    database: TestDatabase,
    processor: Processor,
    clock: Clock,
}

impl Crm {
    async fn new() -> Self {
        let database = TestDatabase::migrated(Migrations(&[MIGRATIONS, HISTORY, ERASURE])).await;
        let mut conn = database.connect().await;
        run(&mut conn, "CREATE TABLE people (name text NOT NULL)").await;
        run(&mut conn, "CREATE TABLE notes (note jsonb NOT NULL)").await;
        let clock = Clock::system();
        let bindings = Bindings::new(Producer::Task)
            .on::<LeadCreated>("test.keep", Order::None, Keep)
            .on::<ErasureRequested>("test.erase", Order::None, Keep);
        let pool = Pool::new(&database.settings(), 0).unwrap();
        let processor = Processor::new(pool, bindings, clock.clone(), Wake::default());
        Self { database, processor, clock }
    }

    async fn hear(&self, event: Event) {
        assert_eq!(self.processor.deliver(event).await.unwrap(), [Outcome::Done]);
    }

    fn lead(&self, lead_id: Uuid, company: &str) -> Event {
        let lead = LeadCreated {
            lead_id,
            name: "Asha Verma".to_owned(),
            company: Some(company.to_owned()),
            ..LeadCreated::sample()
        };
        Event { time: self.clock.now(), ..Event::around(self.clock.id(), &lead) }
    }
}

async fn run(conn: &mut Conn, sql: &str) {
    diesel::sql_query(sql).execute(conn).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_forgotten_does_not_come_back_by_late_news() {
    let crm = Crm::new().await;
    let mut conn = crm.database.connect().await;
    let lead = crm.clock.id();
    crm.hear(crm.lead(lead, "asha@ex.example")).await;
    run(&mut conn, r#"INSERT INTO notes VALUES ('{"Asha": "call ASHA VERMA"}'), ('{"x": "Natasha Verma"}')"#)
        .await;
    let answer = format!(r#"{{"id": "{lead}"}}"#);
    let key = "INSERT INTO idempotency_keys (principal, key, request_hash, output) VALUES ('u', 'k', '', ";
    run(&mut conn, &format!("{key} '{answer}')")).await;

    let request = ErasureRequested {
        erasure_id: crm.clock.id(),
        person: "asha@ex.example".to_owned(),
        also: vec![format!("lead/{lead}")],
    };
    crm.hear(Event::around(crm.clock.id(), &request)).await;
    assert!(crm.database.rows_with("people name=").await.is_empty());
    let notes = crm.database.rows_with("notes note=").await;
    assert_eq!(
        notes,
        [r#"notes note={"Asha": "call [erased]"}"#, r#"notes note={"x": "Natasha Verma"}"#],
        "only whole names are taken out, and no fields"
    );
    let answers = crm.database.rows_with("idempotency_keys").await;
    assert!(answers.len() == 1 && answers[0].contains(r#"output="[erased]""#), "{answers:?}");
    let outbox = crm.database.rows_with("outbox").await;
    assert_eq!(outbox.len(), 2, "an audit row and what is told: {outbox:?}");
    assert!(outbox.iter().all(|row| !row.contains("asha@")), "{outbox:?}");
    assert!(outbox.iter().any(|row| row.contains(PersonErased::kind(Producer::Task).routing_key)));

    crm.hear(crm.lead(lead, "another@ex.example")).await;
    crm.hear(crm.lead(crm.clock.id(), "Asha@ex.example")).await;
    assert!(crm.database.rows_with("people name=").await.is_empty(), "their late news made a record");
    let later =
        Event { time: crm.clock.now() + TimeDelta::days(2), ..crm.lead(crm.clock.id(), "asha@ex.example") };
    crm.hear(later).await;
    assert_eq!(crm.database.rows_with("people name=").await.len(), 1, "who comes again later is welcome");
}

#[tokio::test(flavor = "multi_thread")]
async fn news_that_come_during_an_erasure_wait_for_its_end() {
    let crm = Crm::new().await;
    let lead = crm.clock.id();
    // An erasure that has not ended: it has the lock, and nobody else sees whom it remembers.
    let mut erasing = crm.database.connect().await;
    let key = "hashtextextended(current_schema() || '.erasure', 0)";
    run(&mut erasing, "BEGIN").await;
    run(&mut erasing, &format!("SELECT pg_advisory_xact_lock({key})")).await;
    run(&mut erasing, &format!("INSERT INTO erased VALUES (sha256('lead/{lead}'), now())")).await;
    let (processor, event) = (crm.processor.clone(), crm.lead(lead, "Verma Textiles"));
    let hearing = tokio::spawn(async move { processor.deliver(event).await });
    let waiting = format!(
        "SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted
         AND (classid::int8 << 32 | objid::int8) = {key}"
    );
    bhiv_testing::eventually(async || {
        let mut conn = crm.database.connect().await;
        let found: usize = diesel::sql_query(&waiting).execute(&mut conn).await.unwrap();
        (found == 1).then_some(())
    })
    .await;
    run(&mut erasing, "COMMIT").await;
    assert_eq!(hearing.await.unwrap().unwrap(), [Outcome::Done]);
    assert!(crm.database.rows_with("people name=").await.is_empty(), "it overlooked the erasure");
}
