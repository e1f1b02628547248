//! What the outbox takes: the same write over HTTP with and without its event and its audit row.

use std::convert::Infallible;
use std::path::Path;

use actix_web::dev::ServerHandle;
use actix_web::{App, HttpResponse, HttpServer, web};
use bhiv_db::statement;
use bhiv_events::Contract as _;
use bhiv_events::crm::LeadCreated;
use bhiv_outbox::{Command, Fault, Origin, Transactor, Tx};
use chrono::{DateTime, Utc};
use diesel::sql_types::{Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl as _;
use serde::Deserialize;
use uuid::Uuid;

use crate::http::wrk;
use crate::page::Page;
use crate::stack::Stack;
use crate::{Result, say};

const ADDRESS: &str = "127.0.0.1:29651";

/// A request for a lead.
#[derive(Clone, Debug, Deserialize)]
struct NewLead {
    name: String,
    email: String,
    source: String,
    company: String,
}

statement! {
    struct InsertLead<'a> {
        id: Uuid, story: Uuid, name: &'a str, email: &'a str, source: &'a str, company: &'a str, now: DateTime<Utc>
    } -> ();
    "INSERT INTO leads (id, version, correlation_id, name, email, source, company, consent_purposes, owner, status,
                        created_at, updated_at)
     VALUES (" [id: SqlUuid] ", 1, " [story: SqlUuid] ", " [name: Text] ", " [email: Text] ", " [source: Text]
     ", " [company: Text] ", '{}', 'user/bench', 'new', " [now: Timestamptz] ", " [now: Timestamptz] ")"
}

struct CreateLead {
    lead: NewLead,
    is_recorded: bool,
}

impl Command for CreateLead {
    type Output = Uuid;
    type Refusal = Infallible;

    async fn run(&self, tx: &mut Tx) -> std::result::Result<Uuid, Fault<Infallible>> {
        let (lead_id, story, now) = (tx.id(), tx.correlation(), tx.now());
        let NewLead { name, email, source, company } = &self.lead;
        InsertLead::new(lead_id, story, name, email, source, company, now).execute(tx.conn()).await?;
        if self.is_recorded {
            let lead = LeadCreated { lead_id, name: name.clone(), ..LeadCreated::sample() };
            tx.record(1, &lead);
            tx.audit("lead.create", lead.subject(), None, Some(&lead));
        }
        Ok(lead_id)
    }
}

async fn create(transactor: &Transactor, lead: NewLead, is_recorded: bool) -> HttpResponse {
    let origin = Origin { actor: "user/bench".to_owned(), ..Origin::default() };
    match transactor.run(origin, CreateLead { lead, is_recorded }).await {
        Ok(id) => HttpResponse::Created().json(id),
        Err(_) => HttpResponse::ServiceUnavailable().finish(),
    }
}

async fn with(transactor: web::Data<Transactor>, lead: web::Json<NewLead>) -> HttpResponse {
    create(&transactor, lead.into_inner(), true).await
}

async fn without(transactor: web::Data<Transactor>, lead: web::Json<NewLead>) -> HttpResponse {
    create(&transactor, lead.into_inner(), false).await
}

/// `script` is wrk's request for a lead.
pub async fn measure(
    stack: &Stack,
    page: &mut Page,
    script: &Path,
    (runs, seconds, clients): (usize, u64, usize),
) -> Result {
    let schema = stack.schema("share").await?;
    schema.sql("CREATE TABLE leads (LIKE crm.leads INCLUDING ALL)").await?;
    let server = serve(schema.transactor())?;
    let (mut ours, mut bare) = (Vec::new(), Vec::new());
    for run in 0..=runs {
        schema.sql("TRUNCATE leads, outbox").await?;
        stack.sql("CHECKPOINT").await?;
        let recorded = wrk(&format!("http://{ADDRESS}/with"), script, seconds, clients).await?;
        let plain = wrk(&format!("http://{ADDRESS}/without"), script, seconds, clients).await?;
        say(&format!("with the outbox {run}/{runs}: {recorded:.0}/s, without {plain:.0}/s"));
        if run > 0 {
            ours.push(recorded);
            bare.push(plain);
        }
    }
    server.stop(false).await;
    page.rates("the same write with the outbox", ours, "without", bare, 0.85, 0.0);
    Ok(())
}

fn serve(transactor: Transactor) -> Result<ServerHandle> {
    let transactor = web::Data::new(transactor);
    let server = HttpServer::new(move || {
        App::new()
            .app_data(transactor.clone())
            .route("/with", web::post().to(with))
            .route("/without", web::post().to(without))
    });
    let server = server.workers(2).disable_signals().bind(ADDRESS)?.run();
    let handle = server.handle();
    tokio::spawn(server);
    Ok(handle)
}
