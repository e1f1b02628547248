//! Copies of all that was accepted. Most of it is in PostgreSQL, and one snapshot of it has every service as it was at the
//! same moment. What is not is on its way: published, so gone from its outbox, and not handled by every consumer yet.
//! For a moment nothing is published, until what is on its way has arrived; then the snapshot has it all. Meanwhile
//! requests are answered as ever, and their events wait in the outboxes. Queues whose consumers are away, and dead
//! letters, are copied as they are.

mod messages;
mod quiet;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bhiv_broker::topology::Admin;
use bhiv_clock::Clock;
use bhiv_db::Conn;
use bhiv_events::Producer;
use bhiv_outbox::operations::hold;
use bhiv_settings::Secret;
use clap::{Args, Subcommand};
use diesel_async::{AsyncConnection as _, RunQueryDsl as _, SimpleAsyncConnection as _};
use serde_json::json;
use tokio::process::Command;

use crate::Outcome;
use crate::events::BrokerUrl;
use crate::operator::{DatabaseUrl, Tables, connect};

/// Messages that lay in queues, one JSON document a line.
const MESSAGES: &str = "messages.jsonl";

/// `bhiv backup`
#[derive(Debug, Subcommand)]
pub enum Backup {
    /// Copy everything into a folder.
    Take(Take),
    /// Bring back the messages that lay in queues. First restore the database and set the services up, and start them
    /// afterwards.
    Messages {
        #[command(flatten)]
        broker: BrokerUrl,
        /// Where the copy is.
        folder: PathBuf,
    },
}

/// `bhiv backup take`
#[derive(Args, Debug)]
pub struct Take {
    #[command(flatten)]
    broker: BrokerUrl,
    /// RabbitMQ's management API as an administrator.
    #[arg(long, env = "RABBITMQ_ADMIN_URL", hide_env_values = true)]
    rabbitmq_admin_url: Secret,
    #[command(flatten)]
    database: DatabaseUrl,
    /// How long consumers may take to handle what is on its way to them.
    #[arg(long, default_value_t = 120)]
    seconds: u64,
    /// Where the copy goes.
    folder: PathBuf,
    /// What copies the database, for example `pg_dump --format=custom --file=...`; `--snapshot=<id>` is added.
    #[arg(last = true, required = true)]
    dump: Vec<String>,
}

impl Backup {
    pub async fn run(self) -> Outcome {
        match self {
            Self::Take(take) => take.run().await,
            Self::Messages { broker, folder } => {
                let connector = connect(&broker.operator_amqp_url).await?;
                let text = fs::read_to_string(folder.join(MESSAGES))
                    .map_err(|error| format!("{}: {error}", folder.join(MESSAGES).display()))?;
                let count = messages::bring_back(&connector, &text).await?;
                connector.close().await;
                out!("{count} messages are in their queues again");
                Ok(())
            }
        }
    }
}

impl Take {
    async fn run(self) -> Outcome {
        let connector = connect(&self.broker.operator_amqp_url).await?;
        let admin = Admin::new(&self.rabbitmq_admin_url, &self.broker.operator_amqp_url)?;
        let mut holds = Vec::new();
        for service in Producer::ALL {
            if Tables::find(&self.database, service).await?.is_some() {
                holds.push(hold(&self.database.within(service)).await?);
            }
        }
        if holds.is_empty() {
            return Err("no service is set up in this database: is DATABASE_ADMIN_URL right?".into());
        }
        let patience = Duration::from_secs(self.seconds);
        let (queues, messages) = quiet::wait(&admin, &connector, patience).await?;
        let at = Clock::system().now();
        let mut keeper = Conn::establish(self.database.expose()).await?;
        let snapshot = snapshot(&mut keeper).await?;
        // Whatever is published from now on is in the snapshot's outboxes still.
        drop(holds);
        drop(queues);
        write(&self.folder.join(MESSAGES), &messages::text(&messages)?)?;
        let [program, arguments @ ..] = self.dump.as_slice() else { return Err("say what dumps".into()) };
        let dump = Command::new(program).args(arguments).arg(format!("--snapshot={snapshot}")).status().await;
        let status = dump.map_err(|error| format!("{program}: {error}"))?;
        if !status.success() {
            return Err(format!("{program} ended with {status}").into());
        }
        keeper.batch_execute("COMMIT").await?;
        connector.close().await;
        let summary = json!({"complete_until": at, "messages": messages.len()});
        write(&self.folder.join("backup.json"), &format!("{summary:#}\n"))?;
        out!("everything that was accepted before {at} is in {}", self.folder.display());
        Ok(())
    }
}

/// One moment of the database, that others can look at as long as `conn` keeps it.
async fn snapshot(conn: &mut Conn) -> Result<String, Box<dyn std::error::Error>> {
    #[derive(diesel::QueryableByName)]
    struct Exported {
        #[diesel(sql_type = diesel::sql_types::Text)]
        id: String,
    }
    // It waits for as long as the dump takes.
    conn.batch_execute("SET idle_in_transaction_session_timeout = 0").await?;
    conn.batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
    let Exported { id } = diesel::sql_query("SELECT pg_export_snapshot() AS id").get_result(conn).await?;
    Ok(id)
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))
}
