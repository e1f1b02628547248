//! Tasks, workflows and feedback.
//!
//! Data goes one way: [`http`] and [`consumers`] translate in and open one transaction, [`commands`] act
//! inside it, [`domain`] decides, [`store`] reads and writes, [`events`] says what happened. [`schema`] is
//! diesel's, [`error`] turns refusals into answers.
//!
//! What the system does of itself about an event is no code but a row of `workflows`: a trigger, a condition
//! ([`domain::condition`], CEL) and actions whose texts are templates ([`domain::template`], minijinja). One
//! command, [`commands::run_workflows`], begins them; [`commands::advance_run`] carries them on after they waited.

mod commands;
mod config;
mod consumers;
mod domain;
mod error;
mod events;
mod http;
mod jobs;
mod schema;
mod store;

pub use config::Config;

use bhiv_broker::topology::Topology;
use bhiv_db::Migrations;
use bhiv_events::Producer;
use bhiv_service::{App, Context, Error, Service};
use bhiv_web::{Api, Code, Info};
use bhiv_webhook::Sender;
use diesel_migrations::{EmbeddedMigrations, embed_migrations};

const TABLES: EmbeddedMigrations = embed_migrations!();

/// The task service.
#[derive(Debug)]
pub struct TaskService;

impl Service for TaskService {
    type Config = Config;

    const INFO: Info = Info {
        name: env!("CARGO_PKG_NAME"),
        description: env!("CARGO_PKG_DESCRIPTION"),
        version: env!("CARGO_PKG_VERSION"),
    };
    const PRODUCER: Producer = Producer::Task;
    const MIGRATIONS: Migrations =
        Migrations(&[bhiv_outbox::MIGRATIONS, bhiv_outbox::HISTORY, bhiv_outbox::ERASURE, TABLES]);
    const CODES: &'static [Code] = error::ALL;

    fn api() -> Api {
        http::routes()
    }

    fn topology() -> Topology {
        consumers::bindings().topology()
    }

    fn build(config: Config, context: &Context) -> Result<App, Error> {
        let sender = Sender::new(&config.sending).map_err(Error::Other)?;
        let app = App::new(consumers::bindings()).with_state(sender.clone());
        Ok(jobs::add(app, &config, context, sender))
    }
}
