//! Work beside requests and messages.

use std::time::Duration;

use bhiv_broker::Backoff;
use bhiv_db::Pool;
use bhiv_outbox::{Fault, Origin};
use bhiv_service::{App, Context};
use bhiv_settings::Secret;
use bhiv_types::Email;
use bhiv_webhook::Sender;
use tokio::sync::mpsc::Receiver;
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use crate::cache::Cache;
use crate::commands::ensure_admin::EnsureAdmin;
use crate::config::Config;
use crate::consent::{self, Consents};
use crate::denials::{Denied, write_down};
use crate::domain::user::Password;
use crate::erased;
use crate::live::{CHANNEL, Live};
use crate::redis::Redis;
use crate::sessions::{self, Sessions};
use crate::store::live_event;
use crate::visible::Visible;
use crate::webhooks::{self, Doorbell};

const HOUSEKEEPING: Duration = Duration::from_mins(1);
const AT_A_TIME: i64 = 5_000;

/// All of it.
pub fn add(
    app: App,
    context: &Context,
    config: &Config,
    live: Live,
    sessions: Sessions,
    redis: Redis,
    denied: Receiver<Denied>,
) -> App {
    let (pool, telling, connected) = (context.pool().clone(), redis.clone(), redis.clone());
    let (ended, hearing) = (sessions.clone(), redis.clone());
    let (forgotten, ending) = (context.pool().clone(), sessions.clone());
    let (showing, old) = (live.clone(), context.pool().clone());
    let app = app
        .with_job("connection to Redis", move |stop| connected.keep_connected(stop))
        .with_job("ended sessions", move |stop| sessions.follow(stop))
        .with_job("ended sessions of other replicas", move |stop| {
            hearing.hear(sessions::CHANNEL, move |session| ended.heard(session), stop)
        })
        .with_job("sessions of users who were forgotten", move |stop| {
            erased::end_sessions(forgotten, ending, stop)
        })
        .with_job("live events", move |stop| showing.follow(pool, telling, stop))
        .with_job("live events of other replicas", move |stop| {
            redis.hear(CHANNEL, move |_| live.heard(), stop)
        })
        .with_job("old live events", move |stop| forget_old(old, stop));
    let writing = context.clone();
    let app = app.with_job("audit of refusals", move |stop| write_down(denied, writing, stop));
    match (config.admin_email.clone(), config.admin_password.clone()) {
        (Some(email), Some(password)) => {
            let context = context.clone();
            app.with_job("first administrator", move |stop| ensure_admin(context, email, password, stop))
        }
        _ => app,
    }
}

/// What webhooks need.
pub fn add_webhooks(
    app: App,
    context: &Context,
    config: &Config,
    sender: Sender,
    visible: Visible,
    doorbell: Doorbell,
) -> App {
    let (delivering, measuring, forgetting) = (context.clone(), context.clone(), context.clone());
    let settings = config.webhooks.clone();
    let delivering = move |stop| webhooks::deliver(delivering, sender, visible, settings, doorbell, stop);
    app.with_job("webhooks", delivering)
        .with_job("webhooks that wait", move |stop| webhooks::measure(measuring, stop))
        .with_job("old attempts of webhooks", move |stop| webhooks::forget_old(forgetting, stop))
}

/// What keeps consents and kept answers up to date.
pub fn add_consent_and_cache(
    app: App,
    context: &Context,
    consents: Consents,
    cache: Cache,
    redis: Redis,
) -> App {
    let (pool, telling, following) = (context.pool().clone(), redis.clone(), consents.clone());
    app.with_job("consents", move |stop| following.follow(pool, telling, stop))
        .with_job("consents heard by other replicas", move |stop| {
            redis.hear(consent::CHANNEL, move |_| consents.heard(), stop)
        })
        .with_job("generations of kept answers", move |stop| cache.keep_up(stop))
}

async fn forget_old(pool: Pool, stop: CancellationToken) {
    while !stop.is_cancelled() {
        tokio::select! {
            () = tokio::time::sleep(HOUSEKEEPING) => {}
            () = stop.cancelled() => return,
        }
        let forgetting = async {
            live_event::forget_old(&mut *pool.get().await?, AT_A_TIME).await.map_err(bhiv_db::Error::from)
        };
        if let Err(error) = forgetting.await {
            warn!(%error, "old live events stay for now");
        }
    }
}

async fn ensure_admin(context: Context, email: Email, password: Secret, stop: CancellationToken) {
    let hash = tokio::task::spawn_blocking(move || Password::from(password.expose().to_owned()).hash());
    let Ok(Ok(password_hash)) = hash.await else {
        error!("ADMIN_PASSWORD cannot be hashed; there is no first administrator");
        return;
    };
    let mut backoff = Backoff::reconnect();
    while !stop.is_cancelled() {
        let origin = Origin { actor: "service/core".to_owned(), ..Origin::default() };
        let command = EnsureAdmin { email: email.clone(), password_hash: password_hash.clone() };
        match context.run(origin, command).await {
            Ok(made) => {
                if made {
                    info!(%email, "the first administrator is there");
                }
                return;
            }
            // Another replica was first.
            Err(Fault::Refused(_) | Fault::KeyReused | Fault::InFlight) => return,
            Err(Fault::Database(error)) => warn!(%error, "the first administrator has to wait"),
        }
        tokio::select! {
            () = tokio::time::sleep(backoff.next_delay()) => {}
            () = stop.cancelled() => {}
        }
    }
}
