//! The one door: secures, forwards, composes and streams. Business logic stays with its owner.
//!
//! Every request goes through [`pipeline`]. What the gateway owns is in [`http`]; everything else is forwarded
//! to its module by [`forward`]. [`live`] is the stream of events, [`documents`] the API of all modules in
//! one document, [`webhooks`] sends events to whoever asked, [`edge`] what is let in at all, [`limits`] how often who
//! may call, [`sessions`], [`logins`], [`credentials`] and [`outside`] who somebody is, [`erased`] who is not any more, [`denials`] the audit of
//! refused requests, [`consent`] what people agreed to, [`visible`] who sees which event, [`cache`] the answers that
//! are kept, [`recent`] who wrote something just now, [`circuit`] how modules are,
//! [`compose`] answers made of several modules' answers. The other rooms are those of every service.

mod cache;
mod changes;
mod circuit;
mod commands;
mod compose;
mod config;
mod consent;
mod consumers;
mod credentials;
mod denials;
mod documents;
mod domain;
mod edge;
mod erased;
mod error;
mod events;
mod forward;
mod http;
mod jobs;
mod limits;
mod live;
mod logins;
mod modules;
mod outside;
mod pipeline;
mod recent;
mod redis;
mod schema;
mod sessions;
mod store;
mod tokens;
mod visible;
mod webhooks;

pub use config::Config;

use std::time::Duration;

use actix_web::web::Data;
use bhiv_broker::topology::Topology;
use bhiv_db::Migrations;
use bhiv_events::Producer;
use bhiv_service::{App, Context, Error, Service};
use bhiv_web::{Api, Code, Info};
use bhiv_webhook::Sender;
use chrono::{DateTime, TimeDelta, Utc};
use diesel_migrations::{EmbeddedMigrations, embed_migrations};

use crate::cache::Cache;
use crate::changes::Changes;
use crate::consent::Consents;
use crate::credentials::Credentials;
use crate::denials::Denials;
use crate::documents::Documents;
use crate::edge::Edge;
use crate::forward::Clients;
use crate::limits::Limits;
use crate::live::{Live, Streams};
use crate::logins::Logins;
use crate::modules::Modules;
use crate::outside::Outside;
use crate::recent::Recent;
use crate::redis::Redis;
use crate::sessions::Sessions;
use crate::tokens::Tokens;
use crate::visible::Visible;
use crate::webhooks::Doorbell;

const TABLES: EmbeddedMigrations = embed_migrations!();

/// The gateway.
#[derive(Debug)]
pub struct Gateway;

/// When this process began.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Started(pub(crate) DateTime<Utc>);

impl Service for Gateway {
    type Config = Config;

    const INFO: Info = Info {
        name: env!("CARGO_PKG_NAME"),
        description: env!("CARGO_PKG_DESCRIPTION"),
        version: env!("CARGO_PKG_VERSION"),
    };
    const PRODUCER: Producer = Producer::Core;
    const MIGRATIONS: Migrations = Migrations(&[bhiv_outbox::MIGRATIONS, bhiv_outbox::ERASURE, TABLES]);
    const CODES: &'static [Code] = error::ALL;

    fn api() -> Api {
        http::routes()
    }

    fn topology() -> Topology {
        let (live, doorbell) = (Live::default(), Doorbell::default());
        consumers::bindings(&live, &doorbell, &Consents::default(), &Changes::default()).topology()
    }

    fn build(config: Config, context: &Context) -> Result<App, Error> {
        let redis = Redis::new(&config.redis).map_err(Error::Other)?;
        let heartbeat = Duration::from_millis(config.streams.stream_heartbeat_ms.max(1));
        let live = Live::new(heartbeat, config.streams.stream_most_behind);
        let streams = Streams::new(config.streams.streams_most, config.streams.streams_per_user);
        let (doorbell, sender) =
            (Doorbell::default(), Sender::new(&config.webhooks.sending).map_err(Error::Other)?);
        let modules =
            Modules::new(&config.modules, &config.forward, context.clock()).map_err(Error::Other)?;
        let tokens = Data::new(Tokens::new(&config.tokens)?);
        let outside = Outside::new(&config.outside).map_err(Error::Other)?;
        let (pool, clock) = (context.pool().clone(), context.clock().clone());
        let credentials = Credentials::new(tokens.clone(), outside, pool, clock.clone());
        let idle = TimeDelta::days(i64::from(config.tokens.session_days));
        let sessions = Sessions::new(redis.clone(), clock, tokens::validity(&config.tokens), idle);
        let (denials, denied) = Denials::new();
        let documents = Documents::default();
        let limits = Limits::new(config.rate_limits.clone(), config.trusted_proxies.clone(), redis.clone());

        let clients = Clients::new().map_err(Error::Other)?;
        let (consents, changes) = (Consents::default(), Changes::default());
        let visible = Visible::new(consents.clone());
        let cache = Cache::new(config.cache_seconds, redis.clone(), changes.clone(), context.clock().clone());

        let app = App::new(consumers::bindings(&live, &doorbell, &consents, &changes))
            .with_state(visible.clone())
            .with_state(live.clone())
            .with_state(streams)
            .with_state(doorbell.clone())
            .with_state(sender.clone())
            .with_state(config.webhooks.clone())
            .with_state(modules.clone())
            .configured(move |app| {
                app.app_data(tokens.clone());
            })
            .with_state(credentials)
            .with_state(sessions.clone())
            .with_state(Logins::new(redis.clone()))
            .with_state(denials)
            .with_state(documents)
            .with_state(limits)
            .with_state(Started(context.clock().now()))
            .with_state(config.forward)
            .with_state(Edge::new(&config.edge, config.forward.body_idle()))
            .with_state(consents.clone())
            .with_state(cache.clone())
            .with_state(Recent::new(config.module_read_staleness_ms, redis.clone()))
            .guarded_by(pipeline::pipeline)
            .leaving_with_clients()
            .configured(move |app| http::beside(app, &clients, &modules))
            .depending_on("redis", redis.probe());
        let app = jobs::add_webhooks(app, context, &config, sender, visible, doorbell);
        let app = jobs::add_consent_and_cache(app, context, consents, cache, redis.clone());
        Ok(jobs::add(app, context, &config, live, sessions, redis, denied))
    }
}
