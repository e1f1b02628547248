//! Decisions that learn from their outcomes: scores and choices by contextual bandits.
//!
//! Data goes one way: [`http`] and [`consumers`] translate in and open one transaction, [`commands`] act
//! inside it, [`domain`] decides, [`store`] reads and writes, [`events`] says what happened. [`jobs`] learn, beside
//! requests and messages. [`schema`] is diesel's, [`error`] turns refusals into answers.

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
use diesel_migrations::{EmbeddedMigrations, embed_migrations};
use domain::served::Served;

const TABLES: EmbeddedMigrations = embed_migrations!();

/// The rl service.
#[derive(Debug)]
pub struct Rl;

impl Service for Rl {
    type Config = Config;

    const INFO: Info = Info {
        name: env!("CARGO_PKG_NAME"),
        description: env!("CARGO_PKG_DESCRIPTION"),
        version: env!("CARGO_PKG_VERSION"),
    };
    const PRODUCER: Producer = Producer::Rl;
    const MIGRATIONS: Migrations = Migrations(&[bhiv_outbox::MIGRATIONS, bhiv_outbox::ERASURE, TABLES]);
    const CODES: &'static [Code] = error::ALL;

    fn api() -> Api {
        http::routes()
    }

    fn topology() -> Topology {
        consumers::bindings(&Served::default()).topology()
    }

    fn build(config: Config, context: &Context) -> Result<App, Error> {
        let served = Served::default();
        let app = App::new(consumers::bindings(&served)).with_state(served.clone());
        Ok(jobs::add(app, &config, context, served))
    }
}
