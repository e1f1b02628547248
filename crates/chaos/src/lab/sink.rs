use std::time::Duration;

use bhiv_broker::topology::Topology;
use bhiv_db::{Migrations, statement};
use bhiv_events::{AuditRecorded, Event, Producer};
use bhiv_outbox::{Bindings, Failure, Handle, HandleAll, Order, Tx};
use bhiv_service::{App, Context, Error, Service};
use bhiv_web::{Api, Code, Info};
use diesel::sql_types::{Array, BigInt, Bool, Integer, Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl as _;
use diesel_migrations::{EmbeddedMigrations, embed_migrations};
use uuid::Uuid;

use super::{Act, Changed, Done};
use crate::run::NoSettings;

const TABLES: EmbeddedMigrations = embed_migrations!("migrations/sink");

/// The consumer. It owns `bhiv.task`.
#[derive(Debug)]
pub struct Sink;

impl Service for Sink {
    type Config = NoSettings;

    const INFO: Info = Info { name: "lab-sink", description: "The consumer of the lab.", version: "1" };
    const PRODUCER: Producer = Producer::Task;
    const MIGRATIONS: Migrations = Migrations(&[bhiv_outbox::MIGRATIONS, TABLES]);
    const CODES: &'static [Code] = &[];

    fn api() -> Api {
        Api::new(Self::INFO)
    }

    fn topology() -> Topology {
        bindings().topology()
    }

    fn build(_: NoSettings, _: &Context) -> Result<App, Error> {
        Ok(App::new(bindings()))
    }
}

fn bindings() -> Bindings {
    Bindings::new(Producer::Task)
        .on("lab.each", Order::None, Answer)
        .on("lab.strict", Order::Strict, Note("lab.strict"))
        .on("lab.latest", Order::Latest, Note("lab.latest"))
        .on_all("lab.audit", [(Producer::Crm, AuditRecorded::kind(Producer::Crm).routing_key)], NoteAudits)
}

/// Has an effect, does what it is told, and answers.
struct Answer;

impl Handle<Changed> for Answer {
    async fn handle(&self, tx: &mut Tx, event: &Event, changed: Changed) -> Result<(), Failure> {
        Note("lab.each").handle(tx, event, changed.clone()).await?;
        if changed.act == Act::Never {
            return Err(Failure::Never("refused for good".to_owned()));
        }
        let is_told: bool = IsTold::new(changed.act.name()).get_result(tx.conn()).await?;
        match changed.act {
            Act::Fail if is_told => return Err(Failure::Later("told to fail".to_owned())),
            #[expect(clippy::panic, reason = "it is told to")]
            Act::Panic if is_told => panic!("told to panic"),
            Act::Abort if is_told => std::process::abort(),
            Act::Hang if is_told => tokio::time::sleep(Duration::from_hours(1)).await,
            _ => {}
        }
        tx.record(1, &Done { change_id: changed.change_id });
        Ok(())
    }
}

statement! {
    struct IsTold<'a> { act: &'a str } -> (Bool);
    "SELECT EXISTS (SELECT FROM told WHERE act = " [act: Text] ")"
}

/// Has an effect in this handler's name.
struct Note(&'static str);

impl Handle<Changed> for Note {
    async fn handle(&self, tx: &mut Tx, _: &Event, changed: Changed) -> Result<(), Failure> {
        let Changed { change_id, number, version, .. } = changed;
        NoteEffect::new(self.0, change_id, number, version).execute(tx.conn()).await?;
        Ok(())
    }
}

statement! {
    struct NoteEffect<'a> { consumer: &'a str, change_id: Uuid, number: i32, version: i64 } -> ();
    "INSERT INTO effects (consumer, change_id, subject, version) VALUES ("
    [consumer: Text] ", " [change_id: SqlUuid] ", " [number: Integer] ", " [version: BigInt] ")"
}

/// Has an effect for every audit row.
struct NoteAudits;

impl HandleAll for NoteAudits {
    async fn handle_all(&self, tx: &mut Tx, events: &[&Event]) -> Result<(), Failure> {
        let mut changes = Vec::with_capacity(events.len());
        for event in events {
            let audit: AuditRecorded =
                event.read().map_err(|error| Failure::Never(format!("no audit row: {error}")))?;
            let id = audit.entity.rsplit('/').next().and_then(|id| Uuid::parse_str(id).ok());
            changes.push(id.ok_or_else(|| Failure::Never(format!("no change: {}", audit.entity)))?);
        }
        AuditEffects::new(changes).execute(tx.conn()).await?;
        Ok(())
    }
}

statement! {
    struct AuditEffects<'a> { changes: Vec<Uuid> } -> ();
    "INSERT INTO effects (consumer, change_id, subject, version)
     SELECT 'lab.audit', change_id, 0, 0 FROM unnest(" [changes: Array<SqlUuid>] ") AS change_id"
}
