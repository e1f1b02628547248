use std::convert::Infallible;

use actix_web::web::Data;
use bhiv_broker::topology::Topology;
use bhiv_db::{Migrations, statement};
use bhiv_events::{Event, Producer};
use bhiv_outbox::{Bindings, Command, Failure, Fault, Handle, Order, Tx};
use bhiv_service::{App, Context, Error, Service};
use bhiv_web::{Api, Code, Created, Info, Public, Valid};
use diesel::sql_types::{BigInt, Integer, Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl as _;
use diesel_migrations::{EmbeddedMigrations, embed_migrations};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{Act, Changed, Done};
use crate::run::NoSettings;

const TABLES: EmbeddedMigrations = embed_migrations!("migrations/source");

/// The producer. It owns `bhiv.crm`.
#[derive(Debug)]
pub struct Source;

impl Service for Source {
    type Config = NoSettings;

    const INFO: Info = Info { name: "lab-source", description: "The producer of the lab.", version: "1" };
    const PRODUCER: Producer = Producer::Crm;
    const MIGRATIONS: Migrations = Migrations(&[bhiv_outbox::MIGRATIONS, TABLES]);
    const CODES: &'static [Code] = &[];

    fn api() -> Api {
        Api::new(Self::INFO).post("/lab/changes", "Change a subject", create)
    }

    fn topology() -> Topology {
        bindings().topology()
    }

    fn build(_: NoSettings, _: &Context) -> Result<App, Error> {
        Ok(App::new(bindings()))
    }
}

fn bindings() -> Bindings {
    Bindings::new(Producer::Crm).on("lab.echo", Order::None, NoteTheEcho)
}

/// What a client wants.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewChange {
    /// The request's own name for it, the same when it is repeated.
    pub key: String,
    /// Which subject changes.
    pub number: i32,
    /// Another one that changes with it, after it.
    pub also: Option<i32>,
    /// What the sink is to do.
    #[serde(default)]
    pub act: Act,
}

/// What the client gets.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Change {
    /// Names the change.
    pub change_id: Uuid,
    /// The subject's version since.
    pub version: i64,
}

async fn create(
    who: Public,
    Valid(new): Valid<NewChange>,
    source: Data<Context>,
) -> bhiv_web::Result<Created<Change>> {
    let change = source.run(who.origin(), MakeChange(new)).await?;
    Ok(Created::at(format!("/lab/changes/{}", change.change_id), change))
}

struct MakeChange(NewChange);

impl Command for MakeChange {
    type Output = Change;
    type Refusal = Infallible;

    async fn run(&self, tx: &mut Tx) -> Result<Change, Fault<Infallible>> {
        let change = self.change(tx, self.0.number).await?;
        if let Some(also) = self.0.also {
            self.change(tx, also).await?;
        }
        Ok(change)
    }
}

impl MakeChange {
    async fn change(&self, tx: &mut Tx, number: i32) -> Result<Change, Fault<Infallible>> {
        let change_id = tx.id();
        let version: i64 = Bump::new(number).get_result(tx.conn()).await?;
        let event_id = tx.record(version, &Changed { change_id, number, version, act: self.0.act });
        let change = Change { change_id, version };
        tx.audit("change.create", format!("change/{change_id}"), None, Some(&change));
        let note = Note::new(change_id, event_id, &self.0.key, number, version, self.0.act.name());
        note.execute(tx.conn()).await?;
        Ok(change)
    }
}

statement! {
    /// The row of the aggregate is locked before its events get their ids.
    struct Bump<'a> { number: i32 } -> (BigInt);
    "INSERT INTO subjects (id, version) VALUES (" [number: Integer] ", 1)
     ON CONFLICT (id) DO UPDATE SET version = subjects.version + 1 RETURNING version"
}

statement! {
    struct Note<'a> {
        change_id: Uuid, event_id: Uuid, key: &'a str, number: i32, version: i64, act: &'a str,
    } -> ();
    "INSERT INTO changes (change_id, event_id, key, subject, version, act) VALUES ("
    [change_id: SqlUuid] ", " [event_id: SqlUuid] ", " [key: Text] ", " [number: Integer] ", "
    [version: BigInt] ", " [act: Text] ")"
}

struct NoteTheEcho;

impl Handle<Done> for NoteTheEcho {
    async fn handle(&self, tx: &mut Tx, _: &Event, done: Done) -> Result<(), Failure> {
        Echo::new(done.change_id).execute(tx.conn()).await?;
        Ok(())
    }
}

statement! {
    struct Echo<'a> { change_id: Uuid } -> ();
    "INSERT INTO echoes (change_id) VALUES (" [change_id: SqlUuid] ")"
}
