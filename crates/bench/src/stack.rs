//! The servers, a schema and a virtual host of the bench's own.

use std::path::PathBuf;
use std::time::Duration;

use bhiv_broker::Connector;
use bhiv_broker::topology::{Admin, Topology};
use bhiv_clock::Clock;
use bhiv_db::{Conn, Migrations, Pool};
use bhiv_events::Contract as _;
use bhiv_events::Producer;
use bhiv_events::crm::LeadCreated;
use bhiv_outbox::{Transactor, Wake};
use bhiv_settings::{Database, Secret};
use clap::Args;
use diesel::sql_types::{BigInt, Text};
use diesel_async::{AsyncConnection as _, RunQueryDsl as _};
use diesel_migrations::{EmbeddedMigrations, embed_migrations};

use crate::Result;

const TABLES: EmbeddedMigrations = embed_migrations!();

/// Where the servers are, as `scripts/bench` says it.
#[derive(Args, Clone, Debug)]
pub struct Stack {
    /// Where programs are.
    #[arg(long, env = "BENCH_PROGRAMS", hide = true)]
    pub programs: PathBuf,
    /// Where keys and logs go.
    #[arg(long, env = "BENCH_RUN", hide = true)]
    pub run: PathBuf,
    /// The page that the figures go to.
    #[arg(long, env = "BENCH_PAGE", hide = true)]
    pub page: PathBuf,
    /// PostgreSQL as an administrator, in the bench's database.
    #[arg(long, env = "BENCH_DATABASE_URL", hide = true, hide_env_values = true)]
    pub database_url: Secret,
    /// PostgreSQL's log.
    #[arg(long, env = "BENCH_POSTGRES_LOG", hide = true)]
    pub postgres_log: PathBuf,
    /// RabbitMQ as an administrator, in the bench's virtual host.
    #[arg(long, env = "BENCH_AMQP_URL", hide = true, hide_env_values = true)]
    pub amqp_url: Secret,
    /// RabbitMQ's management API as an administrator.
    #[arg(long, env = "BENCH_RABBITMQ_URL", hide = true, hide_env_values = true)]
    pub rabbitmq_url: Secret,
    /// Redis.
    #[arg(long, env = "BENCH_REDIS_URL", hide = true, hide_env_values = true)]
    pub redis_url: Secret,
}

/// A fresh schema with the tables of outbox and inbox.
#[derive(Clone, Debug)]
pub struct Schema {
    pub url: Secret,
    pub pool: Pool,
    pub wake: Wake,
}

#[derive(diesel::QueryableByName)]
struct Number {
    #[diesel(sql_type = BigInt)]
    number: i64,
}

#[derive(diesel::QueryableByName)]
struct Words {
    #[diesel(sql_type = Text)]
    words: String,
}

impl Stack {
    /// A fresh schema of that name.
    pub async fn schema(&self, name: &str) -> Result<Schema> {
        self.sql(&format!("DROP SCHEMA IF EXISTS {name} CASCADE")).await?;
        self.sql(&format!("CREATE SCHEMA {name}")).await?;
        let url = format!("{}?options=-csearch_path%3D{name}", self.database_url.expose());
        bhiv_db::migrate(&url, Migrations(&[bhiv_outbox::MIGRATIONS, TABLES])).await?;
        let url = Secret::from(url);
        let pool = Pool::new(&Database { database_url: url.clone(), database_connections: 16 }, 0)?;
        Ok(Schema { url, pool, wake: Wake::default() })
    }

    /// Runs a statement as an administrator.
    pub async fn sql(&self, statement: &str) -> Result<usize> {
        let mut conn = Conn::establish(self.database_url.expose()).await?;
        Ok(diesel::sql_query(statement).execute(&mut conn).await?)
    }

    /// Runs statements as an administrator, on one connection.
    pub async fn sql_all(&self, first: &[String], then: &[String]) -> Result {
        let mut conn = Conn::establish(self.database_url.expose()).await?;
        for statement in first.iter().chain(then) {
            diesel::sql_query(statement).execute(&mut conn).await?;
        }
        Ok(())
    }

    /// What a query answers, in words.
    pub async fn words(&self, query: &str) -> Result<String> {
        let mut conn = Conn::establish(self.database_url.expose()).await?;
        let answer: Words =
            diesel::sql_query(format!("SELECT ({query})::text AS words")).get_result(&mut conn).await?;
        Ok(answer.words)
    }

    /// The queue that task hears crm's leads by, empty; and its exchange.
    pub async fn queue(&self) -> Result<Connector> {
        let admin = Admin::new(&self.rabbitmq_url, &self.amqp_url)?;
        admin.declare_vhost().await?;
        let topology = Topology::new(Producer::Task, [(Producer::Crm, LeadCreated::KIND.routing_key)]);
        admin.declare(&topology).await?;
        self.purge().await?;
        Ok(Connector::new(&self.amqp_url, "bench"))
    }

    /// Empties the queue.
    pub async fn purge(&self) -> Result {
        let connector = Connector::new(&self.amqp_url, "bench purges");
        let channel = connector.connection().await.create_channel().await?;
        channel.queue_purge("task.q.crm".into(), lapin::options::QueuePurgeOptions::default()).await?;
        connector.close().await;
        Ok(())
    }
}

impl Schema {
    /// Runs commands of crm.
    pub fn transactor(&self) -> Transactor {
        Transactor::new(self.pool.clone(), Producer::Crm, Clock::system(), self.wake.clone())
    }

    /// Runs a statement.
    pub async fn sql(&self, statement: &str) -> Result<usize> {
        let mut conn = Conn::establish(self.url.expose()).await?;
        Ok(diesel::sql_query(statement).execute(&mut conn).await?)
    }

    /// Fills the outbox with that many events of 512 bytes.
    pub async fn fill(&self, rows: usize) -> Result {
        let now = Clock::system().now().timestamp_millis();
        self.sql(&format!(
            "INSERT INTO outbox (event_id, exchange, routing_key, subject, sequence, headers, payload)
             SELECT overlay(overlay(gen_random_uuid()::text PLACING left(ts, 8) FROM 1)
                            PLACING right(ts, 4) || '-7' FROM 10)::uuid,
                    'bhiv.crm', 'crm.lead.created.v1', 'lead/' || n, 1,
                    '{{\"cloudEvents_specversion\": \"1.0\"}}', convert_to(rpad('{{\"a\": \"', 510, 'x') || '\"}}', 'UTF8')
             FROM generate_series(1, {rows}) AS n, lpad(to_hex({now}), 12, '0') AS ts"
        ))
        .await?;
        self.sql("ANALYZE outbox").await?;
        Ok(())
    }

    /// Waits until a table has that many rows.
    pub async fn until(&self, table: &str, rows: i64) -> Result {
        let mut conn = Conn::establish(self.url.expose()).await?;
        let query = format!("SELECT count(*) AS number FROM {table}");
        while diesel::sql_query(&query).get_result::<Number>(&mut conn).await?.number != rows {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    }
}
