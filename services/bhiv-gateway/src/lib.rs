//! The one door: secures, forwards, composes and streams. Business logic stays with its owner.
//!
//! Every request goes through [`pipeline`]. What the gateway owns is in [`http`]; everything else is forwarded
//! to its module by [`forward`]. [`live`] is the stream of events, [`documents`] the API of all modules in
//! one document, [`limits`] how often who may call, [`denials`] the audit of refused requests,
//! [`consent`] what people agreed to, [`cache`] the answers that are kept. The other rooms are those of every service.

mod cache;
mod changes;
mod commands;
mod config;
mod consent;
mod consumers;
mod denials;
mod documents;
mod domain;
mod error;
mod events;
mod forward;
mod http;
mod jobs;
mod limits;
mod live;
mod modules;
mod pipeline;
mod redis;
mod schema;
mod store;
mod tokens;

pub use config::Config;

use bhiv_broker::topology::Topology;
use bhiv_db::Migrations;
use bhiv_events::Producer;
use bhiv_service::{App, Context, Error, Service};
use bhiv_web::{Api, Code, Info};
use diesel_migrations::{EmbeddedMigrations, embed_migrations};

use crate::cache::Cache;
use crate::changes::Changes;
use crate::consent::Consents;
use crate::denials::Denials;
use crate::documents::Documents;
use crate::limits::Limits;
use crate::live::Live;
use crate::modules::Modules;
use crate::redis::Redis;
use crate::tokens::Tokens;

const TABLES: EmbeddedMigrations = embed_migrations!();

/// The gateway.
#[derive(Debug)]
pub struct Gateway;

impl Service for Gateway {
    type Config = Config;

    const INFO: Info = Info {
        name: env!("CARGO_PKG_NAME"),
        description: env!("CARGO_PKG_DESCRIPTION"),
        version: env!("CARGO_PKG_VERSION"),
    };
    const PRODUCER: Producer = Producer::Core;
    const MIGRATIONS: Migrations = Migrations(&[bhiv_outbox::MIGRATIONS, TABLES]);
    const CODES: &'static [Code] = error::ALL;

    fn api() -> Api {
        http::routes()
    }

    fn topology() -> Topology {
        consumers::bindings(&Live::default(), &Consents::default(), &Changes::default()).topology()
    }

    fn build(config: Config, context: &Context) -> Result<App, Error> {
        let redis = Redis::new(&config.redis).map_err(Error::Other)?;
        let live = Live::default();
        let modules = Modules::new(&config.modules).map_err(Error::Other)?;
        let tokens = Tokens::new(&config.tokens)?;
        let (denials, denied) = Denials::new();
        let documents = Documents::default();
        let limits = Limits::new(config.rate_limits.clone(), config.trusted_proxies.clone(), redis.clone());

        let (consents, changes) = (Consents::default(), Changes::default());
        let cache = Cache::new(config.cache_seconds, redis.clone(), changes.clone(), context.clock().clone());

        let app = App::new(consumers::bindings(&live, &consents, &changes))
            .with_state(live.clone())
            .with_state(modules)
            .with_state(tokens)
            .with_state(denials)
            .with_state(documents)
            .with_state(limits)
            .with_state(consents.clone())
            .with_state(cache.clone())
            .guarded_by(pipeline::pipeline)
            .configured(http::beside)
            .depending_on("redis", redis.probe());
        let app = jobs::add_consent_and_cache(app, context, consents, cache, redis.clone());
        Ok(jobs::add(app, context, &config, live, redis, denied))
    }
}
