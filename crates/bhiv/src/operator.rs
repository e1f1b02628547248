//! What the tools that put things right have in common: whose things, who does it, and the record of it.

use std::time::Duration;

use bhiv_broker::{Connector, State};
use bhiv_clock::Clock;
use bhiv_db::{Pool, PooledConnection};
use bhiv_events::Producer;
use bhiv_outbox::operations::{self, Action, RecordActions};
use bhiv_outbox::{Command, Fault, Origin, Refusal, Transactor, Wake};
use bhiv_settings::{Database, Secret};
use clap::Args;

use crate::Outcome;

/// How long RabbitMQ may take to answer the first time.
const PATIENCE: Duration = Duration::from_secs(10);

/// Whose things; everybody's when none is named.
#[derive(Args, Clone, Debug)]
pub struct Services {
    /// Only this service, for example `crm`. May be given several times.
    #[arg(long = "service", value_name = "SERVICE", value_parser = service)]
    named: Vec<Producer>,
}

impl Services {
    /// The services that are meant.
    pub fn all(&self) -> Vec<Producer> {
        if self.named.is_empty() { Producer::ALL.to_vec() } else { self.named.clone() }
    }

    /// Whether they were named: then it is an error when one is not there.
    pub fn are_named(&self) -> bool {
        !self.named.is_empty()
    }
}

/// PostgreSQL, where the tables of every service are.
#[derive(Args, Clone, Debug)]
pub struct DatabaseUrl {
    /// PostgreSQL as an administrator.
    #[arg(long, env = "DATABASE_ADMIN_URL", hide_env_values = true)]
    database_admin_url: Secret,
}

impl DatabaseUrl {
    /// That of an administrator.
    pub fn new(database_admin_url: Secret) -> Self {
        Self { database_admin_url }
    }

    /// The database, in no schema.
    pub fn expose(&self) -> &str {
        self.database_admin_url.expose()
    }

    /// In the schema of `service`.
    pub fn within(&self, service: Producer) -> String {
        let url = self.expose();
        let mark = if url.contains('?') { '&' } else { '?' };
        format!("{url}{mark}options=-csearch_path%3D{}&application_name=bhiv", schema(service))
    }
}

/// Whether to act, and in whose name.
#[derive(Args, Clone, Debug)]
pub struct Acting {
    /// Do it, once audit rows say so; without this, it is only said what would be done.
    #[arg(long)]
    pub apply: bool,
    /// Who does it, as the audit row will say.
    #[arg(
        long = "as",
        value_name = "NAME",
        env = "USER",
        default_value = "operator",
        hide_env_values = true
    )]
    name: String,
}

/// The tables of one service, and acting on them in an operator's name.
#[derive(Debug)]
pub struct Tables {
    pool: Pool,
    transactor: Transactor,
}

impl Tables {
    /// The tables of `service`; nothing when it was never set up here.
    pub async fn find(
        database: &DatabaseUrl,
        service: Producer,
    ) -> Result<Option<Self>, Box<dyn std::error::Error>> {
        let url = database.within(service);
        let settings = Database { database_url: Secret::from(url), database_connections: 2 };
        let pool = Pool::new(&settings, 0)?;
        let transactor = Transactor::new(pool.clone(), service, Clock::system(), Wake::default());
        let is_set_up = operations::is_set_up(&mut *pool.get().await?).await?;
        Ok(is_set_up.then_some(Self { pool, transactor }))
    }

    /// As [`Tables::find`]; an error when the service was never set up here.
    pub async fn of(database: &DatabaseUrl, service: Producer) -> Result<Self, Box<dyn std::error::Error>> {
        let found = Self::find(database, service).await?;
        Ok(found.ok_or_else(|| not_set_up(service))?)
    }

    /// A connection into the service's schema.
    pub async fn connection(&self) -> Result<PooledConnection, bhiv_db::Error> {
        self.pool.get().await
    }

    /// Commits what is about to be done, as audit rows of the service. Only then do it.
    pub async fn record(&self, acting: &Acting, actions: Vec<Action>) -> Outcome {
        self.run(acting, RecordActions(actions)).await
    }

    /// Runs a command in the operator's name.
    pub async fn run<C: Command>(
        &self,
        acting: &Acting,
        command: C,
    ) -> Result<C::Output, Box<dyn std::error::Error>> {
        let origin = Origin { actor: format!("operator/{}", acting.name), ..Origin::default() };
        self.transactor.run(origin, command).await.map_err(in_words)
    }
}

fn in_words<R: Refusal>(fault: Fault<R>) -> Box<dyn std::error::Error> {
    match fault {
        Fault::Refused(refusal) => refusal.to_string().into(),
        Fault::Database(error) => error.into(),
        Fault::KeyReused | Fault::InFlight => "another command has the same idempotency key".into(),
    }
}

/// That a service that was named is not there.
pub fn not_set_up(service: Producer) -> String {
    let schema = schema(service);
    format!(
        "this database has no outbox in schema '{schema}': is DATABASE_ADMIN_URL right, and the service set up?"
    )
}

/// Connects as an operator, and gives up after a while: whoever sits before a terminal wants to know why.
pub async fn connect(operator_amqp_url: &Secret) -> Result<Connector, String> {
    let connector = Connector::new(operator_amqp_url, "bhiv");
    if tokio::time::timeout(PATIENCE, connector.connection()).await.is_ok() {
        return Ok(connector);
    }
    let reason = match connector.state() {
        State::Away(Some(reason)) => reason,
        _ => format!("no answer within {PATIENCE:?}"),
    };
    Err(format!("RabbitMQ cannot be reached: {reason}; is it up, and OPERATOR_AMQP_URL right?"))
}

fn service(name: &str) -> Result<Producer, String> {
    Producer::ALL
        .into_iter()
        .find(|service| [service.prefix(), schema(*service)].contains(&name))
        .ok_or_else(|| format!("one of {}", Producer::ALL.map(Producer::prefix).join(", ")))
}

/// The schema of a service: it is named like the role that its DATABASE_URL connects as.
fn schema(service: Producer) -> &'static str {
    match service {
        Producer::Core => "gateway",
        other => other.prefix(),
    }
}

/// A time span as people say it.
pub fn span(seconds: f64) -> String {
    #[expect(clippy::cast_possible_truncation, reason = "what is cut off is no matter")]
    let seconds = seconds.max(0.0) as i64;
    match seconds {
        ..100 => format!("{seconds} s"),
        100..6_000 => format!("{} min", seconds / 60),
        6_000..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} d", seconds / 86_400),
    }
}

/// The first line of a text, and not too much of it.
pub fn shortened(text: &str) -> String {
    const MOST: usize = 60;
    let line = text.lines().next().unwrap_or_default();
    if line.chars().count() <= MOST {
        return line.to_owned();
    }
    let start: String = line.chars().take(MOST).collect();
    format!("{start}...")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_is_known_by_its_prefix_and_the_gateway_by_both_names() {
        assert_eq!(service("crm"), Ok(Producer::Crm));
        assert_eq!(service("core"), Ok(Producer::Core));
        assert_eq!(service("gateway"), Ok(Producer::Core));
        assert!(service("crn").unwrap_err().contains("crm, logistics"));
    }

    #[test]
    fn spans_and_errors_are_short() {
        let spans = [-1.0, 12.4, 150.0, 7_500.0, 500_000.0].map(span);
        assert_eq!(spans, ["0 s", "12 s", "2 min", "2 h", "5 d"]);
        assert_eq!(shortened("a\nb"), "a");
        assert_eq!(shortened(&"é".repeat(61)), format!("{}...", "é".repeat(60)));
    }
}
