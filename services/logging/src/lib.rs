//! The memory of the system: every event and every audit row.
//!
//! Data goes one way: [`consumers`] hears everything, [`domain`] says what is kept of it, [`commands`] keep
//! it, [`store`] writes and reads, [`http`] answers from it. [`schema`] is diesel's.
//!
//! Audit rows become leaves of a Merkle tree, which [`jobs`] number and sign; what can be proved of them is in
//! [`http`], and how it is proved in the crate `bhiv-ledger`.

mod commands;
mod config;
mod consumers;
mod domain;
mod elasticsearch;
mod error;
mod http;
mod jobs;
mod schema;
mod store;

pub use config::Config;

use std::sync::Arc;

use bhiv_broker::topology::Topology;
use bhiv_db::Migrations;
use bhiv_events::Producer;
use bhiv_service::{App, Context, Error, Service};
use bhiv_web::{Api, Code, Info};
use diesel_migrations::{EmbeddedMigrations, embed_migrations};

use crate::commands::keep_events::Keeping;
use crate::domain::notary::Notary;
use crate::domain::vault::Vault;
use crate::elasticsearch::Elasticsearch;

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
    const CODES: &'static [Code] = error::ALL;

    fn api() -> Api {
        http::routes()
    }

    fn topology() -> Topology {
        consumers::bindings(Keeping::default()).topology()
    }

    fn build(config: Config, context: &Context) -> Result<App, Error> {
        let notary = match &config.logging_signing_key_file {
            None => None,
            Some(file) => {
                let notary = Notary::read(file, &config.audit_origin);
                Some(Arc::new(
                    notary.map_err(|error| Error::Other(format!("LOGGING_SIGNING_KEY_FILE: {error}")))?,
                ))
            }
        };
        let vault = match &config.logging_master_key_file {
            None => None,
            Some(file) => {
                let vault = Vault::read(file);
                Some(Arc::new(
                    vault.map_err(|error| Error::Other(format!("LOGGING_MASTER_KEY_FILE: {error}")))?,
                ))
            }
        };
        let elasticsearch = match &config.elasticsearch_url {
            None => None,
            Some(url) => {
                let (key, index) = (config.elasticsearch_api_key.clone(), &config.elasticsearch_index);
                let to = Elasticsearch::new(url, key, index);
                Some(to.map_err(|error| Error::Other(format!("ELASTICSEARCH_URL: {error}")))?)
            }
        };
        let keeping = Keeping { vault: vault.clone(), ships: elasticsearch.is_some() };
        let (signs, opens): (http::Signs, http::Opens) = (notary.clone(), vault);
        let app = App::new(consumers::bindings(keeping)).with_state(signs).with_state(opens);
        Ok(jobs::add(app, &config, context, notary, elasticsearch))
    }
}
