//! The one door: secures, forwards, composes and streams. Business logic stays with its owner.
//!
//! Every request goes through [`pipeline`]. What the gateway owns is in [`http`]; everything else is forwarded
//! to its module by [`forward`]. [`live`] is the stream of events, [`documents`] the API of all modules in
//! one document, [`webhooks`] sends events to whoever asked, [`limits`] how often who may call, [`denials`] the audit of refused requests. The other rooms are those of every service.

mod commands;
mod config;
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
mod webhooks;

pub use config::Config;

use std::time::Duration;

use bhiv_broker::topology::Topology;
use bhiv_db::Migrations;
use bhiv_events::Producer;
use bhiv_service::{App, Context, Error, Service};
use bhiv_web::{Api, Code, Info};
use diesel_migrations::{EmbeddedMigrations, embed_migrations};

use crate::denials::Denials;
use crate::documents::Documents;
use crate::limits::Limits;
use crate::live::{Live, Streams};
use crate::modules::Modules;
use crate::redis::Redis;
use crate::tokens::Tokens;
use crate::webhooks::{Doorbell, Sender};

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
        consumers::bindings(&Live::default(), &Doorbell::default()).topology()
    }

    fn build(config: Config, context: &Context) -> Result<App, Error> {
        let redis = Redis::new(&config.redis).map_err(Error::Other)?;
        let heartbeat = Duration::from_millis(config.streams.stream_heartbeat_ms.max(1));
        let live = Live::new(heartbeat, config.streams.stream_most_behind);
        let streams = Streams::new(config.streams.streams_most, config.streams.streams_per_user);
        let (doorbell, sender) = (Doorbell::default(), Sender::new(&config.webhooks).map_err(Error::Other)?);
        let modules = Modules::new(&config.modules).map_err(Error::Other)?;
        let tokens = Tokens::new(&config.tokens)?;
        let (denials, denied) = Denials::new();
        let documents = Documents::default();
        let limits = Limits::new(config.rate_limits.clone(), config.trusted_proxies.clone(), redis.clone());

        let app = App::new(consumers::bindings(&live, &doorbell))
            .with_state(live.clone())
            .with_state(streams)
            .with_state(doorbell.clone())
            .with_state(sender.clone())
            .with_state(config.webhooks.clone())
            .with_state(modules)
            .with_state(tokens)
            .with_state(denials)
            .with_state(documents)
            .with_state(limits)
            .guarded_by(pipeline::pipeline)
            .configured(http::beside)
            .depending_on("redis", redis.probe());
        let app = jobs::add_webhooks(app, context, &config, sender, doorbell);
        Ok(jobs::add(app, context, &config, live, redis, denied))
    }
}
