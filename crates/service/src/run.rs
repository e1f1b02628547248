use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use actix_web::dev::Server;
use actix_web::middleware::from_fn;
use actix_web::{App as ActixApp, HttpServer, web};
use bhiv_auth::Verifier;
use bhiv_broker::{Backoff, Connector, State};
use bhiv_clock::Clock;
use bhiv_db::Pool;
use bhiv_outbox::{Consumers, Processor, Relay, housekeeping, measure_backlog};
use bhiv_settings::{Common, Secret};
use bhiv_web::{Api, Authority, Health, Probe, Trouble, surround};
use futures_util::FutureExt as _;
use socket2::SockRef;
use tokio::net::TcpStream;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

use crate::app::App;
use crate::{Context, Error, Service};

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

/// Everything after the requests gets this long.
const DRAIN: Duration = Duration::from_secs(15);

pub(crate) async fn run<S: Service>(common: Common, config: S::Config) -> Result<(), Error> {
    let name = S::INFO.name;
    let _telemetry = bhiv_telemetry::init(name, S::INFO.version, &common.telemetry)?;
    let clock = Clock::system();
    let context = Context::new(Pool::new(&common.database)?, S::PRODUCER, clock.clone());
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
    let server = serve(listener, common.http.http_workers, &S::api(), &app, authority, &context, health)
        .map_err(|source| Error::Listen { address, source })?;
    let http = server.handle();
    tokio::spawn(server);
    info!(%address, "listening");

    let stop = terminated(context.stopping());
    let url = common.database.database_url;
    if migrate::<S>(&url, &stop).await {
        is_migrated.store(true, Ordering::Relaxed);
        let mut work = Work::start(app, &context, url, consuming, publishing);
        tokio::select! {
            () = stop.cancelled() => {}
            // Whoever restarts the process gives it a whole one again, instead of one that half works.
            () = work.panicked() => return Err(Error::Panicked),
        }
        info!("draining");
        is_open.store(false, Ordering::Relaxed);
        http.stop(true).await;
        work.drain().await?;
    } else {
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
    let context = web::Data::new(context.clone());
    let health = web::Data::new(health);
    let server = HttpServer::new(move || {
        let guard = Arc::clone(&guard);
        ActixApp::new()
            .wrap(from_fn(move |request, next| guard(request, next)))
            .wrap(from_fn(surround))
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

/// What goes on beside requests.
struct Work {
    incoming: JoinSet<()>,
    outgoing: JoinSet<()>,
    stop_incoming: CancellationToken,
    stop_outgoing: CancellationToken,
}

impl Work {
    fn start(
        mut app: App,
        context: &Context,
        database_url: Secret,
        consuming: Connector,
        publishing: Connector,
    ) -> Self {
        let mut work = Self {
            incoming: JoinSet::new(),
            outgoing: JoinSet::new(),
            stop_incoming: CancellationToken::new(),
            stop_outgoing: CancellationToken::new(),
        };
        let (pool, clock, wake) = (context.pool(), context.clock(), context.wake());
        let relay = Relay::new(context.producer(), database_url, publishing, wake.clone());
        work.outgoing.spawn(relay.run(work.stop_outgoing.clone()));

        let processor = Processor::new(pool.clone(), app.bindings(), clock.clone(), wake.clone());
        let dead_letters = app.bindings().topology().dead_letters;
        let backlog =
            measure_backlog(pool.clone(), consuming.clone(), dead_letters, work.stop_incoming.clone());
        work.incoming.spawn(backlog);
        let consumers = Consumers::new(processor, consuming);
        work.incoming.spawn(consumers.run(work.stop_incoming.clone()));
        let cleaning = housekeeping(pool.clone(), clock.clone(), work.stop_incoming.clone());
        work.incoming.spawn(cleaning);
        for job in app.start_jobs(&work.stop_incoming) {
            work.incoming.spawn(job);
        }
        work
    }

    /// Ends when a task panicked. Handlers do not count: theirs are caught where they are called.
    async fn panicked(&mut self) {
        loop {
            let ended = tokio::select! {
                Some(ended) = self.incoming.join_next() => ended,
                Some(ended) = self.outgoing.join_next() => ended,
                else => std::future::pending().await,
            };
            if ended.is_err_and(|error| error.is_panic()) {
                return;
            }
        }
    }

    /// What comes in ends first; the relay publishes what it left behind.
    async fn drain(self) -> Result<(), Error> {
        let draining = async move {
            self.stop_incoming.cancel();
            self.incoming.join_all().await;
            self.stop_outgoing.cancel();
            self.outgoing.join_all().await;
        };
        tokio::time::timeout(DRAIN, draining).await.map_err(|_| Error::Drain)
    }
}

/// Has `stop` cancelled by SIGTERM or SIGINT.
fn terminated(stop: &CancellationToken) -> CancellationToken {
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
    stop.clone()
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
