use std::sync::Arc;

use actix_web::body::BoxBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use actix_web::web::{self, ServiceConfig};
use bhiv_broker::topology::Topology;
use bhiv_db::Migrations;
use bhiv_events::Producer;
use bhiv_outbox::Bindings;
use bhiv_web::{Api, Code, Info, Probe};
use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, LocalBoxFuture};
use tokio_util::sync::CancellationToken;

use crate::{Context, Error};

/// A service, as a type.
pub trait Service: 'static {
    /// Settings beyond those that every service has.
    type Config: clap::Args + std::fmt::Debug + Clone + Send + 'static;

    /// What it says of itself.
    const INFO: Info;
    /// Its exchange, its queues' prefix.
    const PRODUCER: Producer;
    /// Its tables, those of the messaging crates first.
    const MIGRATIONS: Migrations;
    /// The problems that only it answers.
    const CODES: &'static [Code];

    /// Its routes.
    fn api() -> Api;

    /// What it hears, as it is declared at the broker.
    fn topology() -> Topology;

    /// Puts its parts together. It must not wait for anything that may be away.
    ///
    /// # Errors
    /// When a setting is of no use.
    fn build(config: Self::Config, context: &Context) -> Result<App, Error>;
}

/// What a guard answers in its time.
pub type Guarded = LocalBoxFuture<'static, Result<ServiceResponse<BoxBody>, actix_web::Error>>;

pub(crate) type Guard = Arc<dyn Fn(ServiceRequest, Next<BoxBody>) -> Guarded + Send + Sync>;

type Configure = Arc<dyn Fn(&mut ServiceConfig) + Send + Sync>;
type Work = Box<dyn FnOnce(CancellationToken) -> BoxFuture<'static, ()> + Send>;

/// Work that goes on beside requests and messages until it is told to stop.
struct Job {
    name: &'static str,
    work: Work,
}

/// The parts of a service.
pub struct App {
    pub(crate) bindings: Bindings,
    pub(crate) configure: Vec<Configure>,
    pub(crate) guard: Guard,
    pub(crate) leaves_with_clients: bool,
    jobs: Vec<Job>,
    pub(crate) probes: Vec<(&'static str, Probe)>,
}

impl std::fmt::Debug for App {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let jobs: Vec<_> = self.jobs.iter().map(|job| job.name).collect();
        f.debug_struct("App").field("bindings", &self.bindings).field("jobs", &jobs).finish()
    }
}

impl App {
    /// A service that hears `bindings`.
    pub fn new(bindings: Bindings) -> Self {
        Self {
            bindings,
            configure: Vec::new(),
            guard: Arc::new(|request, next| next.call(request).boxed_local()),
            leaves_with_clients: false,
            jobs: Vec::new(),
            probes: Vec::new(),
        }
    }

    /// What it hears.
    pub fn bindings(&self) -> Bindings {
        self.bindings.clone()
    }

    /// Its jobs by name, under way until `stop` once they are polled.
    pub fn start_jobs(&mut self, stop: &CancellationToken) -> Vec<(&'static str, BoxFuture<'static, ()>)> {
        let jobs = std::mem::take(&mut self.jobs);
        jobs.into_iter()
            .map(|Job { name, work }| {
                tracing::info!(job = name, "started");
                (name, work(stop.clone()))
            })
            .collect()
    }

    /// Gives handlers `state`, as `web::Data<T>`.
    #[must_use]
    pub fn with_state<T: Send + Sync + 'static>(self, state: T) -> Self {
        let state = web::Data::new(state);
        self.configured(move |app| {
            app.app_data(web::Data::clone(&state));
        })
    }

    /// Adds what is not a documented route: fallbacks, pages.
    #[must_use]
    pub fn configured(mut self, configure: impl Fn(&mut ServiceConfig) + Send + Sync + 'static) -> Self {
        self.configure.push(Arc::new(configure));
        self
    }

    /// Lets every request through `guard`, which has a name and a span by then, before its handler gets it.
    #[must_use]
    pub fn guarded_by(
        mut self,
        guard: impl Fn(ServiceRequest, Next<BoxBody>) -> Guarded + Send + Sync + 'static,
    ) -> Self {
        self.guard = Arc::new(guard);
        self
    }

    /// Drops a request whose client closes the connection, instead of finishing it for nobody. A client that
    /// closes only its own direction counts as gone, too.
    #[must_use]
    pub fn leaving_with_clients(mut self) -> Self {
        self.leaves_with_clients = true;
        self
    }

    /// Adds work that goes on beside requests and messages.
    #[must_use]
    pub fn with_job<F>(
        mut self,
        name: &'static str,
        work: impl FnOnce(CancellationToken) -> F + Send + 'static,
    ) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.jobs.push(Job { name, work: Box::new(move |stop| work(stop).boxed()) });
        self
    }

    /// Adds something that readiness depends on.
    #[must_use]
    pub fn depending_on(mut self, name: &'static str, probe: Probe) -> Self {
        self.probes.push((name, probe));
        self
    }
}
