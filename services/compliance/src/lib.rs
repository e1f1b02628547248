//! Consent of persons, their rights, and the judgement of every event by policies.
//!
//! Data goes one way: [`http`] and [`consumers`] translate in and open one transaction, [`commands`] act
//! inside it, [`domain`] decides, [`store`] reads and writes, [`events`] says what happened. [`schema`] is
//! diesel's, [`error`] turns refusals into answers, [`jobs`] do what the clock demands, [`office`] signs.

mod commands;
mod config;
mod consumers;
mod domain;
mod error;
mod events;
mod http;
mod jobs;
mod office;
mod schema;
mod store;

pub use config::Config;
pub use domain::regime::Regime;

use bhiv_broker::topology::Topology;
use bhiv_db::Migrations;
use bhiv_events::Producer;
use bhiv_service::{App, Context, Error, Service};
use bhiv_web::{Api, Code, Info};
use diesel_migrations::{EmbeddedMigrations, embed_migrations};
use office::Office;

const TABLES: EmbeddedMigrations = embed_migrations!();

/// The compliance service.
#[derive(Debug)]
pub struct Compliance;

impl Service for Compliance {
    type Config = Config;

    const INFO: Info = Info {
        name: env!("CARGO_PKG_NAME"),
        description: env!("CARGO_PKG_DESCRIPTION"),
        version: env!("CARGO_PKG_VERSION"),
    };
    const PRODUCER: Producer = Producer::Compliance;
    const MIGRATIONS: Migrations = Migrations(&[bhiv_outbox::MIGRATIONS, bhiv_outbox::ERASURE, TABLES]);
    const CODES: &'static [Code] = error::ALL;

    fn api() -> Api {
        http::routes()
    }

    fn topology() -> Topology {
        consumers::bindings().topology()
    }

    fn build(config: Config, context: &Context) -> Result<App, Error> {
        let office = Office::open(&config).map_err(|error| Error::Other(error.to_string()))?;
        let app = App::new(consumers::bindings()).with_state(office);
        Ok(jobs::add(app, &config, context))
    }
}
