//! The memory of the system: every event and every audit row.
//!
//! Data goes one way: [`consumers`] hears everything, [`domain`] says what is kept of it, [`commands`] keep
//! it, [`store`] writes and reads, [`http`] answers from it. [`schema`] is diesel's.
//!
//! Logging changes nobody's business, so it records no events of its own and refuses nothing.

mod commands;
mod config;
mod consumers;
mod domain;
mod http;
mod schema;
mod store;

pub use config::Config;

use bhiv_broker::topology::Topology;
use bhiv_db::Migrations;
use bhiv_events::Producer;
use bhiv_service::{App, Context, Error, Service};
use bhiv_web::{Api, Code, Info};
use diesel_migrations::{EmbeddedMigrations, embed_migrations};

const TABLES: EmbeddedMigrations = embed_migrations!();

/// The logging service.
#[derive(Debug)]
pub struct Logging;

impl Service for Logging {
    type Config = Config;

    const INFO: Info = Info {
        name: env!("CARGO_PKG_NAME"),
        description: env!("CARGO_PKG_DESCRIPTION"),
        version: env!("CARGO_PKG_VERSION"),
    };
    const PRODUCER: Producer = Producer::Logging;
    const MIGRATIONS: Migrations = Migrations(&[bhiv_outbox::MIGRATIONS, TABLES]);
    const CODES: &'static [Code] = &[];

    fn api() -> Api {
        http::routes()
    }

    fn topology() -> Topology {
        consumers::bindings().topology()
    }

    fn build(_: Config, _: &Context) -> Result<App, Error> {
        Ok(App::new(consumers::bindings()))
    }
}
