use std::net::TcpListener;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use actix_web::body::BoxBody;
use actix_web::dev::{Server, Service as _, ServiceResponse};
use actix_web::http::ConnectionType;
use actix_web::middleware::from_fn;
use actix_web::{App as ActixApp, HttpServer, web};
use bhiv_auth::Verifier;
use bhiv_broker::{Backoff, Connector, State};
use bhiv_clock::Clock;
use bhiv_db::{Pool, Replica};
use bhiv_settings::{Common, Secret};
use bhiv_web::{Api, Authority, Health, Probe, Trouble, surround};
use futures_util::FutureExt as _;
#[cfg(target_os = "linux")]
use socket2::{SockFilter, SockRef};
use tokio::net::TcpStream;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

use crate::app::App;
use crate::work::Work;
use crate::{Context, Error, Service, reading};

/// A client has this long to send the head of its first request.
const HEAD: Duration = Duration::from_secs(5);

/// A connection without a request is kept this long: longer than the gateway keeps its own to a module, so that
/// no request meets a connection that is being closed.
const KEEP_ALIVE: Duration = Duration::from_secs(75);

/// Connections of one worker, at most. More wait to be accepted.
const CONNECTIONS: usize = 10_000;

/// Open requests get this long after SIGTERM.
const REQUESTS_GRACE_SECONDS: u64 = 10;

/// A client who takes nothing of an answer for so long is gone: its connection ends. Without it, whoever stops reading
/// a stream would hold its buffers for as long as they like.
const CLIENT_PATIENCE: Duration = Duration::from_mins(1);

/// In this time every connection that the kernel made for us is accepted.
const ACCEPTED: Duration = Duration::from_millis(50);

pub(crate) async fn run<S: Service>(common: Common, config: S::Config) -> Result<(), Error> {
    let name = S::INFO.name;
    let _telemetry = bhiv_telemetry::init(name, S::INFO.version, &common.telemetry)?;
    let clock = Clock::system();
    let workers = common.http.http_workers;
    let pool = Pool::new(&common.database, workers)?;
    let replica = Replica::new(&common.replica, common.database.database_connections, workers)?;
    let context = Context::new(pool, S::PRODUCER, clock.clone()).with_replica(replica.clone());
    let authority = Authority { verifier: Verifier::new(&common.auth)?, clock };
    let mut app = S::build(config, &context)?;

    let consuming = Connector::new(&common.broker.amqp_url, format!("{name} consumes"));
    let publishing = Connector::new(&common.broker.amqp_url, format!("{name} publishes"));
    let is_open = Arc::new(AtomicBool::new(true));
    let is_migrated = Arc::new(AtomicBool::new(false));
    let mut health = Health::default();
    health.depend_on("service", not_draining(&is_open));
    health.depend_on("database", database(&context, &is_migrated));
    health.depend_on("broker", broker(&consuming));
    for (what, probe) in std::mem::take(&mut app.probes) {
        health.depend_on(what, probe);
    }

    // HTTP comes first: liveness is answered, and readiness says what is waited for.
    let address = common.http.http_addr;
    let listener = TcpListener::bind(address).map_err(|source| Error::Listen { address, source })?;
    let door = listener.try_clone().map_err(|source| Error::Listen { address, source })?;
    let server = serve(listener, workers, &S::api(), &app, authority, &context, health)
        .map_err(|source| Error::Listen { address, source })?;
    let http = server.handle();
    tokio::spawn(server);
    info!(%address, "listening");

    let stop = terminated();
    let url = common.database.database_url;
    if migrate::<S>(&url, &stop).await {
        is_migrated.store(true, Ordering::Relaxed);
        let mut work = Work::start(app, &context, url, consuming, publishing);
        if let Some(replica) = replica {
            let primary = context.pool().clone();
            work.also("standby", |stop| replica.follow(primary, stop));
        }
        tokio::select! {
            () = stop.cancelled() => {}
            // Whoever restarts the process gives it a whole one again, instead of one that half works.
            () = work.panicked() => return Err(Error::Panicked),
        }
        info!("draining");
        is_open.store(false, Ordering::Relaxed);
        leave(&context, &door, Duration::from_millis(common.http.drain_delay_ms)).await;
        http.stop(true).await;
        work.drain().await?;
    } else {
        context.stopping().cancel();
        http.stop(false).await;
    }
    context.pool().close();
    info!("drained");
    Ok(())
}

/// An HTTP server with everything that every service's has.
///
/// # Errors
/// When the address cannot be used.
pub fn serve(
    listener: TcpListener,
    workers: usize,
    api: &Api,
    app: &App,
    authority: Authority,
    context: &Context,
    health: Health,
) -> std::io::Result<Server> {
    let (api, configure, guard) = (api.clone(), app.configure.clone(), Arc::clone(&app.guard));
    let authority = web::Data::new(authority);
    let leaving = context.leaving().clone();
    let context = web::Data::new(context.clone());
    let health = web::Data::new(health);
    let server = HttpServer::new(move || {
        // A clone of the token itself takes a lock of all workers.
        let (guard, leaving) = (Arc::clone(&guard), Rc::new(leaving.clone()));
        ActixApp::new()
            .wrap(from_fn(reading::choose))
            .wrap(from_fn(move |request, next| guard(request, next)))
            .wrap(from_fn(surround))
            .wrap_fn(move |request, app| part(Rc::clone(&leaving), app.call(request)))
            .app_data(web::Data::clone(&authority))
            .app_data(web::Data::clone(&context))
            .app_data(web::Data::clone(&health))
            .configure(|app| {
                for configure in &configure {
                    configure(app);
                }
                api.configure(app);
            })
    })
    .on_connect(|connection, _| {
        let Some(socket) = connection.downcast_ref::<TcpStream>() else { return };
        let patience = SockRef::from(socket).set_tcp_user_timeout(Some(CLIENT_PATIENCE));
        if let Err(error) = patience {
            debug!(%error, "a client may stop reading for as long as it likes");
        }
    })
    .workers(workers)
    .client_request_timeout(HEAD)
    .keep_alive(KEEP_ALIVE)
    .max_connections(CONNECTIONS)
    .h1_allow_half_closed(!app.leaves_with_clients)
    .disable_signals()
    .shutdown_timeout(REQUESTS_GRACE_SECONDS)
    .listen(listener)?
    .run();
    Ok(server)
}

/// Waits for the database for as long as it takes, and migrates. `false` if the process ends before.
async fn migrate<S: Service>(url: &Secret, stop: &CancellationToken) -> bool {
    let mut backoff = Backoff::reconnect();
    while !stop.is_cancelled() {
        match bhiv_db::migrate(url.expose(), S::MIGRATIONS).await {
            Ok(applied) => {
                info!(applied = applied.len(), "the schema is up to date");
                return true;
            }
            Err(error) => {
                warn!(%error, cause = ?std::error::Error::source(&error), "waiting for PostgreSQL");
            }
        }
        tokio::select! {
            () = tokio::time::sleep(backoff.next_delay()) => {}
            () = stop.cancelled() => {}
        }
    }
    false
}

/// Goes on serving until whoever sends requests has learned that they belong elsewhere, and takes no new connection then.
async fn leave(context: &Context, door: &TcpListener, delay: Duration) {
    context.leaving().cancel();
    tokio::time::sleep(delay).await;
    // Closing a listener resets the connections that the kernel has made and nobody has accepted yet, requests and all.
    // So first no packet comes in any more, as if it had been lost, and what has come is accepted.
    match shut(door) {
        Ok(()) => tokio::time::sleep(ACCEPTED).await,
        Err(error) => debug!(%error, "a connection that is made at this very moment may be reset"),
    }
    context.stopping().cancel();
}

/// Lets no packet through to `door`.
#[cfg(target_os = "linux")]
fn shut(door: &TcpListener) -> std::io::Result<()> {
    /// `BPF_RET | BPF_K`: keeps as many bytes of a packet as its operand says.
    const RETURN: u16 = 0x06;
    SockRef::from(door).attach_filter(&[SockFilter::new(RETURN, 0, 0, 0)])
}

/// Lets no packet through to `door`.
#[cfg(not(target_os = "linux"))]
fn shut(_door: &TcpListener) -> std::io::Result<()> {
    Err(std::io::ErrorKind::Unsupported.into())
}

/// The answers of a process that is leaving say that their connection ends: its next request goes to another process.
async fn part(
    leaving: Rc<CancellationToken>,
    answering: impl Future<Output = Result<ServiceResponse<BoxBody>, actix_web::Error>>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let mut response = answering.await?;
    let head = response.response_mut().head_mut();
    if leaving.is_cancelled() && !head.upgrade() {
        head.set_connection_type(ConnectionType::Close);
    }
    Ok(response)
}

/// Cancelled by SIGTERM or SIGINT.
fn terminated() -> CancellationToken {
    let stop = CancellationToken::new();
    for kind in [SignalKind::terminate(), SignalKind::interrupt()] {
        let stop = stop.clone();
        match signal(kind) {
            Ok(mut signals) => {
                tokio::spawn(async move {
                    signals.recv().await;
                    stop.cancel();
                });
            }
            Err(error) => warn!(%error, "a signal will end the process at once"),
        }
    }
    stop
}

fn not_draining(is_open: &Arc<AtomicBool>) -> Probe {
    let is_open = Arc::clone(is_open);
    Arc::new(move || {
        let result = if is_open.load(Ordering::Relaxed) { Ok(()) } else { Err(Trouble::down("draining")) };
        async move { result }.boxed()
    })
}

fn database(context: &Context, is_migrated: &Arc<AtomicBool>) -> Probe {
    let (pool, is_migrated) = (context.pool().clone(), Arc::clone(is_migrated));
    Arc::new(move || {
        let (pool, is_migrated) = (pool.clone(), Arc::clone(&is_migrated));
        async move {
            if !is_migrated.load(Ordering::Relaxed) {
                return Err(Trouble::down("waiting for PostgreSQL, or migrating"));
            }
            pool.ping().await.map_err(|error| Trouble::down(error.to_string()))
        }
        .boxed()
    })
}

/// Needed to start. Later the service goes on without it: events wait in the outbox.
fn broker(connector: &Connector) -> Probe {
    let connector = connector.clone();
    let was_open = Arc::new(AtomicBool::new(false));
    Arc::new(move || {
        let result = match connector.state() {
            State::Open | State::Blocked(_) => {
                was_open.store(true, Ordering::Relaxed);
                Ok(())
            }
            State::Away(reason) => {
                let reason = reason.unwrap_or_else(|| "not connected yet".to_owned());
                Err(if was_open.load(Ordering::Relaxed) {
                    Trouble::degraded(reason)
                } else {
                    Trouble::down(reason)
                })
            }
        };
        async move { result }.boxed()
    })
}
