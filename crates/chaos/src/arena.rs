//! One run of one case: a fresh virtual host, fresh schemas, the lab's processes, clients, and the end.

use std::collections::HashMap;
use std::time::Duration;

use bhiv_auth::Keys;
use bhiv_broker::{Connector, Deliveries, Delivery, Pace};
use bhiv_db::Conn;
use diesel_async::{AsyncConnection as _, RunQueryDsl as _};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use reqwest::Method;
use serde_json::json;
use tokio::process::Command;
use tokio::time::{Instant, timeout};

use crate::Result;
use crate::check::Checker;
use crate::control::{Servers, VHOST};
use crate::load::{Accepted, Load, Plan};
use crate::node::Node;

/// Where the lab's processes listen above the first port of the stack's services, apart from the real ones.
const SOURCES: u16 = 100;
const SINKS: u16 = 110;

/// Which of the two services.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Producer.
    Source,
    /// Consumer.
    Sink,
}

impl Role {
    fn program(self) -> &'static str {
        match self {
            Self::Source => "lab-source",
            Self::Sink => "lab-sink",
        }
    }

    /// Its schema, its role, and its user at the broker.
    pub fn name(self) -> &'static str {
        match self {
            Self::Source => "crm",
            Self::Sink => "task",
        }
    }
}

/// Everything that a case works with.
#[derive(Debug)]
pub struct Arena {
    /// The servers.
    pub servers: Servers,
    /// Replicas of the source; two unless the case says otherwise.
    pub sources: Vec<Node>,
    /// Replicas of the sink.
    pub sinks: Vec<Node>,
    /// Decides what is left to chance, the same for the same seed.
    pub chance: StdRng,
    /// Every request that was accepted.
    pub accepted: HashMap<String, Accepted>,
    /// How long to wait until everything has arrived.
    pub patience: Duration,
    /// Dead letters that must be there at the end, by class.
    pub dead: HashMap<String, usize>,
    /// How many flows go through the whole system.
    pub flows: usize,
    /// What chance began with.
    pub seed: u64,
    password: String,
}

impl Arena {
    /// A fresh one. Nothing runs yet.
    pub async fn new(servers: Servers, seed: u64, flows: usize) -> Result<Self> {
        let mut chance = StdRng::seed_from_u64(seed);
        let password = format!("p{:x}", chance.random::<u128>());
        let arena = Self {
            servers,
            sources: Vec::new(),
            sinks: Vec::new(),
            chance,
            accepted: HashMap::new(),
            patience: Duration::from_secs(90),
            dead: HashMap::new(),
            flows,
            seed,
            password,
        };
        arena.servers.script(&["remove_vhost", VHOST]).await?;
        let mut conn = Conn::establish(arena.servers.database_url.expose()).await?;
        for role in [Role::Source, Role::Sink] {
            let drop = format!("DROP SCHEMA IF EXISTS {} CASCADE", role.name());
            diesel::sql_query(drop).execute(&mut conn).await?;
        }
        let keys = arena.servers.run.join("keys");
        std::fs::create_dir_all(&keys)?;
        let (key, jwks) = (keys.join("signing-key.pem"), keys.join("jwks.json"));
        if !key.exists() {
            Keys::generate(&key, &jwks)?;
        }
        Ok(arena)
    }

    /// The usual beginning: both are set up, and two replicas of each are ready.
    pub async fn begin(&mut self) -> Result {
        self.setup(Role::Source).await?;
        self.setup(Role::Sink).await?;
        for number in 1..=2 {
            self.add(Role::Source, number)?;
            self.add(Role::Sink, number)?;
        }
        for node in self.nodes() {
            node.start(None)?;
        }
        self.all_ready().await
    }

    /// Every process.
    pub fn nodes(&mut self) -> impl Iterator<Item = &mut Node> {
        self.sources.iter_mut().chain(&mut self.sinks)
    }

    /// The source that the case is about.
    pub fn source(&mut self) -> Result<&mut Node> {
        self.sources.first_mut().ok_or_else(|| "no source".into())
    }

    /// The sink that the case is about.
    pub fn sink(&mut self) -> Result<&mut Node> {
        self.sinks.first_mut().ok_or_else(|| "no sink".into())
    }

    /// Waits until every process is ready.
    pub async fn all_ready(&mut self) -> Result {
        for node in self.nodes() {
            node.ready().await?;
        }
        Ok(())
    }

    /// Adds a replica that is not started yet.
    pub fn add(&mut self, role: Role, number: u16) -> Result {
        let (prefix, place) = match role {
            Role::Source => ("source", SOURCES),
            Role::Sink => ("sink", SINKS),
        };
        let name = format!("{prefix}-{number}");
        let program = self.servers.programs.join(role.program());
        let log = self.servers.run.join(format!("{name}.log"));
        let port = self.servers.http_base + place + number;
        let node = Node::new(name, program, log, port, self.environment(role)?);
        match role {
            Role::Source => self.sources.push(node),
            Role::Sink => self.sinks.push(node),
        }
        Ok(())
    }

    fn environment(&self, role: Role) -> Result<HashMap<String, String>> {
        let (name, password) = (role.name(), self.password.as_str());
        let settings = [
            ("DATABASE_URL", self.servers.database_url_of(name, password)?.expose().to_owned()),
            ("AMQP_URL", self.servers.amqp_url_of(name, password)?.expose().to_owned()),
            ("AUTH_JWKS_FILE", self.servers.run.join("keys/jwks.json").display().to_string()),
            ("TRACE_RATIO", "0".to_owned()),
            ("DRAIN_DELAY_MS", "0".to_owned()),
        ];
        Ok(settings.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
    }

    /// Makes schema, role, exchange, queues and user, as before a rollout. It repairs what is missing.
    pub async fn setup(&self, role: Role) -> Result {
        let output = Command::new(self.servers.programs.join(role.program()))
            .arg("setup")
            .envs(self.environment(role)?)
            .env("DATABASE_ADMIN_URL", self.servers.database_url.expose())
            .env("RABBITMQ_ADMIN_URL", self.servers.rabbitmq_url.expose())
            .output()
            .await?;
        if output.status.success() {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        Err(format!("setup of the {} failed: {said}", role.program()).into())
    }

    /// Starts clients of all sources.
    pub fn clients(&self, plan: &Plan) -> Result<Load> {
        Load::start(plan, self.sources.iter().map(|node| node.url.clone()).collect(), self.seed)
    }

    /// Waits until every request was accepted.
    pub async fn finish(&mut self, load: Load) -> Result {
        self.accepted.extend(load.finish().await?);
        Ok(())
    }

    /// Runs a statement in the schema of `role`, as an administrator.
    pub async fn sql(&self, role: Role, statement: &str) -> Result<usize> {
        let mut conn = Conn::establish(&self.servers.schema_url(role.name())).await?;
        Ok(diesel::sql_query(statement).execute(&mut conn).await?)
    }

    /// Tells the sink's handlers to misbehave at changes with that act, or to behave again.
    pub async fn tell(&self, act: crate::lab::Act, misbehave: bool) -> Result {
        let statement = if misbehave {
            format!("INSERT INTO told VALUES ('{}')", act.name())
        } else {
            "DELETE FROM told".to_owned()
        };
        self.sql(Role::Sink, &statement).await?;
        Ok(())
    }

    /// Messages that came again and were recognised, in the processes that run now.
    pub async fn repeated(&self) -> Result<f64> {
        let mut sum = 0.0;
        for node in &self.sinks {
            sum += node.metric("inbox_messages_total", "outcome=\"repeated\"").await?;
        }
        Ok(sum)
    }

    /// Waits until everything has arrived; answers how long that took.
    pub async fn settled(&self) -> Result<Duration> {
        let started = Instant::now();
        let checker = Checker::new(&self.servers);
        loop {
            let pending = match checker.pending().await {
                Ok(None) => return Ok(started.elapsed()),
                Ok(Some(pending)) => pending,
                Err(error) => error.to_string(),
            };
            if started.elapsed() > self.patience {
                return Err(format!("after {:?} there are {pending}", self.patience).into());
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// The usual end: everything has arrived, every process drains in time, queues are empty, the dead letters
    /// are those that are expected, and the checker finds no fault. Answers what the table shows.
    pub async fn end(&mut self) -> Result<String> {
        let settled = self.settled().await?;
        let mut slowest = Duration::ZERO;
        for node in self.nodes() {
            if !node.has_ended() {
                slowest = slowest.max(node.stop().await?);
            }
        }
        for queue in ["task.q.crm", "crm.q.task"] {
            if let [first, ..] = self.messages(queue).await?.as_slice() {
                return Err(format!("{} is left in {queue}", first.message_id).into());
            }
        }
        let mut dead: HashMap<String, usize> = HashMap::new();
        for queue in ["task.dlq", "crm.dlq"] {
            for letter in self.messages(queue).await? {
                let class = letter.routing_key.split_once('.').map_or("", |(_, class)| class);
                *dead.entry(class.to_owned()).or_default() += 1;
            }
        }
        if dead != self.dead {
            return Err(format!("dead letters {dead:?} instead of {:?}", self.dead).into());
        }
        let changes = Checker::new(&self.servers).verify(&self.accepted).await?;
        Ok(format!("{changes} changes, settled in {settled:.1?}, drained in {slowest:.1?}"))
    }

    /// Waits until `query` answers true in its column `holds`.
    pub async fn until(&self, role: Role, query: &str) -> Result {
        #[derive(diesel::QueryableByName)]
        struct Answer {
            #[diesel(sql_type = diesel::sql_types::Bool)]
            holds: bool,
        }
        let started = Instant::now();
        let mut conn = Conn::establish(&self.servers.schema_url(role.name())).await?;
        loop {
            let answer: Answer = diesel::sql_query(query).get_result(&mut conn).await?;
            if answer.holds {
                return Ok(());
            }
            if started.elapsed() > self.patience {
                return Err(format!("after {:?} this still does not hold: {query}", self.patience).into());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Waits until the source has published everything.
    pub async fn published(&self) -> Result {
        self.until(Role::Source, "SELECT NOT EXISTS (SELECT FROM outbox) AS holds").await
    }

    /// What is parked, coming in or going out, need not wait for its time.
    pub async fn hurry(&self, role: Role) -> Result {
        for table in ["inbox_parked", "outbox_parked"] {
            self.sql(role, &format!("UPDATE {table} SET next_attempt_at = now()")).await?;
        }
        Ok(())
    }

    /// Takes everything out of a queue that nobody else consumes.
    pub async fn take(&self, queue: &str) -> Result<Vec<Delivery>> {
        let connector = Connector::new(&self.servers.amqp_url()?, "chaos");
        let mut deliveries = Deliveries::open(&connector, queue, Pace::Window).await?;
        let mut messages = Vec::new();
        while let Ok(batch) =
            timeout(Duration::from_millis(500), deliveries.batch(256, Duration::from_millis(50))).await
        {
            let batch = batch?;
            if let Some(last) = batch.last() {
                deliveries.ack_through(last.tag()).await?;
            }
            messages.extend(batch);
        }
        deliveries.close().await?;
        connector.close().await;
        Ok(messages)
    }

    /// What lies in a queue that nobody else consumes; it stays there.
    pub async fn messages(&self, queue: &str) -> Result<Vec<Delivery>> {
        let connector = Connector::new(&self.servers.amqp_url()?, "chaos");
        let mut deliveries = Deliveries::open(&connector, queue, Pace::Window).await?;
        let mut messages = Vec::new();
        while let Ok(batch) =
            timeout(Duration::from_millis(300), deliveries.batch(256, Duration::from_millis(50))).await
        {
            messages.extend(batch?);
        }
        deliveries.close().await?;
        connector.close().await;
        Ok(messages)
    }

    /// Has the broker close every connection of the lab.
    pub async fn close_connections(&self) -> Result {
        let words = ["rabbitmqctl_here", "close_all_connections", "--vhost", VHOST, "chaos"];
        self.servers.script(&words).await?;
        Ok(())
    }

    /// Sets a policy of the lab's virtual host.
    pub async fn policy(&self, name: &str, pattern: &str, definition: serde_json::Value) -> Result {
        let body =
            json!({"pattern": pattern, "apply-to": "queues", "priority": 10, "definition": definition});
        self.servers.rabbitmq(Method::PUT, &format!("policies/{VHOST}/{name}"), Some(&body)).await?;
        Ok(())
    }
}
