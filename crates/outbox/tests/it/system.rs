//! A producer (crm) and a consumer (task) of one event, in one process.

use std::convert::Infallible;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};

use bhiv_broker::Connector;
use bhiv_broker::topology::Topology;
use bhiv_clock::Clock;
use bhiv_db::{Conn, Migrations, Pool};
use bhiv_events::crm::LeadCreated;
use bhiv_events::{Contract as _, Event, Producer};
use bhiv_outbox::{
    Bindings, Command, Consumers, Failure, Fault, Handle, Order, Origin, Processor, Relay, RelayState,
    Transactor, Tx, Wake,
};
use bhiv_testing::{TestBroker, TestDatabase};
use diesel::sql_types::{BigInt, Text};
use diesel_async::RunQueryDsl;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// One of the two services.
pub struct Service {
    pub database: TestDatabase,
    pub pool: Pool,
    pub wake: Wake,
    pub transactor: Transactor,
    producer: Producer,
}

impl Service {
    pub async fn new(producer: Producer) -> Self {
        let database = TestDatabase::migrated(Migrations(&[bhiv_outbox::MIGRATIONS])).await;
        let sql = "CREATE TABLE effects (lead_id uuid NOT NULL, place bigint GENERATED ALWAYS AS IDENTITY)";
        diesel::sql_query(sql).execute(&mut database.connect().await).await.unwrap();
        let pool = Pool::new(&database.settings(), 0).unwrap();
        let wake = Wake::default();
        let transactor = Transactor::new(pool.clone(), producer, Clock::system(), wake.clone());
        Self { database, pool, wake, transactor, producer }
    }

    /// Starts a relay; it ends when the guard is dropped.
    pub fn relay(&self, broker: &TestBroker) -> (watch::Receiver<RelayState>, Guard) {
        self.relay_over(broker.connector())
    }

    pub fn relay_over(&self, connector: Connector) -> (watch::Receiver<RelayState>, Guard) {
        let relay = Relay::new(self.producer, self.database.url.clone(), connector, self.wake.clone());
        let (state, stop) = (relay.watch(), CancellationToken::new());
        tokio::spawn(relay.run(stop.clone()));
        (state, Guard(stop))
    }

    /// Starts consumers with `handler`.
    pub fn consume(&self, broker: &TestBroker, handler: Handler) -> Guard {
        self.consume_with(broker, handler, Order::None)
    }

    pub fn consume_with(&self, broker: &TestBroker, handler: Handler, order: Order) -> Guard {
        consume(broker, self.processor_with(handler, order))
    }

    /// Starts consumers of `bindings`.
    pub fn consume_all(&self, broker: &TestBroker, bindings: Bindings) -> Guard {
        consume(broker, Processor::new(self.pool.clone(), bindings, Clock::system(), self.wake.clone()))
    }

    pub fn processor(&self, handler: Handler) -> Processor {
        self.processor_with(handler, Order::None)
    }

    pub fn processor_with(&self, handler: Handler, order: Order) -> Processor {
        let bindings = Bindings::new(self.producer).on("test.effect", order, handler);
        Processor::new(self.pool.clone(), bindings, Clock::system(), self.wake.clone())
    }

    /// Records `count` leads, one transaction each, and answers their ids.
    pub async fn create_leads(&self, count: usize) -> Vec<Uuid> {
        let mut ids = Vec::new();
        for _ in 0..count {
            let origin = Origin { actor: "user/test".to_owned(), ..Origin::default() };
            ids.push(self.transactor.run(origin, CreateLead).await.unwrap());
        }
        ids
    }

    /// Runs the housekeeping until nothing is left to clean.
    pub async fn clean(&self) {
        let stop = CancellationToken::new();
        let cleaning = bhiv_outbox::housekeeping(self.pool.clone(), Clock::system(), stop.clone());
        let cleaning = tokio::spawn(cleaning);
        let old = "idempotency_keys WHERE created_at < now() - interval '24 hours'";
        bhiv_testing::eventually(async || (self.count(old).await == 0).then_some(())).await;
        stop.cancel();
        cleaning.await.unwrap();
    }

    pub async fn count(&self, table: &str) -> i64 {
        #[derive(diesel::QueryableByName)]
        struct Count {
            #[diesel(sql_type = BigInt)]
            count: i64,
        }
        let sql = format!("SELECT count(*) AS count FROM {table}");
        let mut conn = self.database.connect().await;
        diesel::sql_query(sql).get_result::<Count>(&mut conn).await.unwrap().count
    }

    pub async fn text(&self, sql: &str) -> String {
        #[derive(diesel::QueryableByName)]
        struct Row {
            #[diesel(sql_type = Text)]
            text: String,
        }
        let mut conn = self.database.connect().await;
        diesel::sql_query(sql).get_result::<Row>(&mut conn).await.unwrap().text
    }

    pub async fn execute(&self, sql: &str) {
        diesel::sql_query(sql).execute(&mut self.database.connect().await).await.unwrap();
    }

    pub async fn effects(&self) -> Vec<Uuid> {
        effects(&mut self.database.connect().await).await
    }
}

fn consume(broker: &TestBroker, processor: Processor) -> Guard {
    let stop = CancellationToken::new();
    let consumers = Consumers::new(processor, broker.connector());
    tokio::spawn(consumers.run(stop.clone()));
    Guard(stop)
}

/// Stops what it guards.
pub struct Guard(CancellationToken);

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

/// The topology of a consumer of leads.
pub fn topology() -> Topology {
    Topology::new(Producer::Task, [(Producer::Crm, LeadCreated::KIND.routing_key)])
}

struct CreateLead;

impl Command for CreateLead {
    type Output = Uuid;
    type Refusal = Infallible;

    async fn run(&self, tx: &mut Tx) -> Result<Uuid, Fault<Infallible>> {
        let lead_id = tx.id();
        tx.record(1, &LeadCreated { lead_id, ..LeadCreated::sample() });
        Ok(lead_id)
    }
}

/// Inserts a row; fails the first so many times.
#[derive(Clone, Default)]
pub struct Handler {
    pub failures: Arc<AtomicUsize>,
    pub never: bool,
    /// Panics at this lead.
    pub panics_at: Option<Uuid>,
}

impl Handle<LeadCreated> for Handler {
    async fn handle(&self, tx: &mut Tx, _: &Event, lead: LeadCreated) -> Result<(), Failure> {
        if self.never {
            return Err(Failure::Never("not in this life".to_owned()));
        }
        assert!(self.panics_at != Some(lead.lead_id), "told to");
        let fewer = |left: usize| left.checked_sub(1);
        if self.failures.fetch_update(Ordering::SeqCst, Ordering::SeqCst, fewer).is_ok() {
            return Err(Failure::Later("not yet".to_owned()));
        }
        diesel::sql_query("INSERT INTO effects VALUES ($1)")
            .bind::<diesel::sql_types::Uuid, _>(lead.lead_id)
            .execute(tx.conn())
            .await?;
        Ok(())
    }
}

async fn effects(conn: &mut Conn) -> Vec<Uuid> {
    #[derive(diesel::QueryableByName)]
    struct Effect {
        #[diesel(sql_type = diesel::sql_types::Uuid)]
        lead_id: Uuid,
    }
    let rows: Vec<Effect> =
        diesel::sql_query("SELECT lead_id FROM effects ORDER BY place").load(conn).await.unwrap();
    rows.into_iter().map(|row| row.lead_id).collect()
}

/// The UUIDv7 number `n` of the day on which the tests began: the same past midnight.
pub fn id(n: u128) -> Uuid {
    static TODAY: LazyLock<u64> = LazyLock::new(|| {
        u64::try_from(Clock::system().now().timestamp_millis()).unwrap() / 86_400_000 * 86_400_000
    });
    let mut random = [0; 10];
    random[2..].copy_from_slice(&u64::try_from(n).unwrap().to_be_bytes());
    uuid::Builder::from_unix_timestamp_millis(*TODAY, &random).into_uuid()
}

/// The `n` of [`id`].
pub fn number(id: Uuid) -> u128 {
    id.as_u128() & 0xffff_ffff
}
