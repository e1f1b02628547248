use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use actix_web::http::Method;
use actix_web::middleware::from_fn;
use actix_web::web::{self, ServiceConfig};
use actix_web::{FromRequest, Handler, HttpResponse, Responder};
use bhiv_telemetry::metrics;
use bhiv_types::State;
use utoipa::ToSchema;
use utoipa::openapi::path::HttpMethod;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{ComponentsBuilder, InfoBuilder, OpenApi, OpenApiBuilder, RefOr, Schema};

use crate::describe::{Describe, Operation};
use crate::{Machine, Problem, codes, health, idempotency};

/// Largest body that is read, in bytes, unless a route says otherwise.
const MAX_BODY: usize = 100 * 1024;

/// What a service says of itself.
#[derive(Clone, Copy, Debug)]
pub struct Info {
    /// For example `crm`.
    pub name: &'static str,
    /// What it is for, in a sentence.
    pub description: &'static str,
    /// Its version.
    pub version: &'static str,
}

type AddRoute = Arc<dyn Fn(actix_web::Resource) -> actix_web::Resource + Send + Sync>;

/// The routes of a service, and their documentation, which follows from the handlers' signatures.
#[derive(Clone)]
pub struct Api {
    info: Info,
    resources: BTreeMap<String, Vec<(Method, AddRoute)>>,
    document: OpenApi,
    machines: Vec<Machine>,
}

impl std::fmt::Debug for Api {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list()
            .entries(
                self.resources.iter().flat_map(|(path, routes)| {
                    routes.iter().map(move |(method, _)| format!("{method} {path}"))
                }),
            )
            .finish()
    }
}

impl Api {
    /// An API without routes.
    pub fn new(info: Info) -> Self {
        let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("JWT").build();
        let components =
            ComponentsBuilder::new().security_scheme("bearer", SecurityScheme::Http(bearer)).build();
        let document = OpenApiBuilder::new()
            .info(
                InfoBuilder::new()
                    .title(format!("BHIV {}", info.name))
                    .description(Some(info.description))
                    .version(info.version)
                    .build(),
            )
            .components(Some(components))
            .build();
        Self { info, resources: BTreeMap::new(), document, machines: Vec::new() }
    }

    /// `GET path`.
    #[must_use]
    pub fn get<F, Args>(self, path: &str, summary: &str, handler: F) -> Self
    where
        F: Handler<Args> + Send + Sync,
        Args: FromRequest + Describe + 'static,
        F::Output: Responder + Describe + 'static,
    {
        self.route(Method::GET, HttpMethod::Get, path, summary, handler)
    }

    /// `POST path`.
    #[must_use]
    pub fn post<F, Args>(self, path: &str, summary: &str, handler: F) -> Self
    where
        F: Handler<Args> + Send + Sync,
        Args: FromRequest + Describe + 'static,
        F::Output: Responder + Describe + 'static,
    {
        self.route(Method::POST, HttpMethod::Post, path, summary, handler)
    }

    /// `PUT path`.
    #[must_use]
    pub fn put<F, Args>(self, path: &str, summary: &str, handler: F) -> Self
    where
        F: Handler<Args> + Send + Sync,
        Args: FromRequest + Describe + 'static,
        F::Output: Responder + Describe + 'static,
    {
        self.route(Method::PUT, HttpMethod::Put, path, summary, handler)
    }

    /// `PATCH path`.
    #[must_use]
    pub fn patch<F, Args>(self, path: &str, summary: &str, handler: F) -> Self
    where
        F: Handler<Args> + Send + Sync,
        Args: FromRequest + Describe + 'static,
        F::Output: Responder + Describe + 'static,
    {
        self.route(Method::PATCH, HttpMethod::Patch, path, summary, handler)
    }

    /// `DELETE path`.
    #[must_use]
    pub fn delete<F, Args>(self, path: &str, summary: &str, handler: F) -> Self
    where
        F: Handler<Args> + Send + Sync,
        Args: FromRequest + Describe + 'static,
        F::Output: Responder + Describe + 'static,
    {
        self.route(Method::DELETE, HttpMethod::Delete, path, summary, handler)
    }

    fn route<F, Args>(
        mut self,
        method: Method,
        documented: HttpMethod,
        path: &str,
        summary: &str,
        handler: F,
    ) -> Self
    where
        F: Handler<Args> + Send + Sync,
        Args: FromRequest + Describe + 'static,
        F::Output: Responder + Describe + 'static,
    {
        let mut operation = Operation::default();
        Args::describe(&mut operation);
        F::Output::describe(&mut operation);
        let is_unsafe = !matches!(method, Method::GET | Method::HEAD | Method::OPTIONS);
        if is_unsafe {
            operation.repeatable();
        }
        let id = operation_id(&method, path);
        let (operation, schemas) = operation.finish(id, self.info.name, summary, path);
        self.document.paths.add_path_operation(path, vec![documented], operation);
        if let Some(components) = &mut self.document.components {
            components.schemas.extend(schemas);
        }

        let route_method = method.clone();
        let add: AddRoute = Arc::new(move |resource| {
            let route = web::method(route_method.clone()).to(handler.clone());
            resource.route(if is_unsafe { route.wrap(from_fn(idempotency::recognise)) } else { route })
        });
        self.resources.entry(path.to_owned()).or_default().push((method, add));
        self
    }

    /// Documents a state machine: its schema says what may follow each state, from the table that decides. After
    /// the routes that mention the schema.
    #[must_use]
    pub fn states<S: State + ToSchema>(mut self) -> Self {
        let machine = Machine::of::<S>(S::name().into_owned());
        let components = self.document.components.as_mut();
        let schema = components.and_then(|components| components.schemas.get_mut(&machine.name));
        if let Some(RefOr::T(Schema::Object(schema))) = schema {
            let says = schema.description.take().unwrap_or_default();
            schema.description = Some(format!("{says}\n\n{}", machine.in_words()));
        }
        self.machines.push(machine);
        self
    }

    /// The state machines that are documented.
    pub fn machines(&self) -> &[Machine] {
        &self.machines
    }

    /// The OpenAPI 3.1 document.
    pub fn document(&self) -> &OpenApi {
        &self.document
    }

    /// Adds the routes, and those that every service has, to an actix application.
    pub fn configure(&self, app: &mut ServiceConfig) {
        app.app_data(web::PayloadConfig::new(MAX_BODY));
        // Paths are told apart word by word: one after the other, with a regular expression each, they would take
        // longer than everything else about a small request.
        for (first, paths) in by_word(self.resources.iter().map(|(path, routes)| (path.as_str(), routes))) {
            if let [(rest, routes)] = paths.as_slice() {
                app.service(resource(&format!("{first}{rest}"), routes));
                continue;
            }
            let mut scope = web::scope(first);
            for (second, paths) in by_word(paths) {
                scope = match paths.as_slice() {
                    [(rest, routes)] => scope.service(resource(&format!("{second}{rest}"), routes)),
                    _ if second.contains('{') || second.is_empty() => {
                        paths.into_iter().fold(scope, |scope, (rest, routes)| {
                            scope.service(resource(&format!("{second}{rest}"), routes))
                        })
                    }
                    _ => {
                        let below = web::scope(second);
                        let below = paths
                            .into_iter()
                            .fold(below, |below, (rest, routes)| below.service(resource(rest, routes)));
                        scope.service(below)
                    }
                };
            }
            app.service(scope);
        }
        let document = web::Data::new(self.document.to_json().unwrap_or_default());
        let info = self.info;
        let started = Instant::now();
        app.route("/health/live", web::get().to(health::live))
            .route("/health/ready", web::get().to(health::ready))
            .route("/metrics", web::get().to(render_metrics))
            .route(
                "/openapi.json",
                web::get().to(move || {
                    let document = web::Data::clone(&document);
                    async move {
                        HttpResponse::Ok().content_type("application/json").body(document.to_string())
                    }
                }),
            )
            .route("/version", web::get().to(move || async move { version(info, started) }));
    }
}

/// Paths, by their first word: `/leads`, and what follows it.
fn by_word<'a, T>(paths: impl IntoIterator<Item = (&'a str, T)>) -> BTreeMap<&'a str, Vec<(&'a str, T)>> {
    let mut groups: BTreeMap<&str, Vec<_>> = BTreeMap::new();
    for (path, what) in paths {
        let end = path.get(1..).and_then(|path| path.find('/')).map_or(path.len(), |end| end + 1);
        let (word, rest) = path.split_at(end);
        groups.entry(word).or_default().push((rest, what));
    }
    groups
}

fn resource(path: &str, routes: &[(Method, AddRoute)]) -> actix_web::Resource {
    let mut allowed: Vec<_> = routes.iter().map(|(method, _)| method.to_string()).collect();
    allowed.sort();
    let allowed = allowed.join(", ");
    let resource = web::resource(path).default_service(web::to(move || {
        let allowed = allowed.clone();
        async move { not_allowed(&allowed) }
    }));
    routes.iter().fold(resource, |resource, (_, add)| add(resource))
}

/// 405 with the methods that are allowed.
pub fn not_allowed(allowed: &str) -> HttpResponse {
    let problem = Problem::new(codes::METHOD_NOT_ALLOWED, format!("allowed here: {allowed}"));
    let mut response = HttpResponse::from_error(problem);
    if let Ok(allowed) = allowed.try_into() {
        response.headers_mut().insert(actix_web::http::header::ALLOW, allowed);
    }
    response
}

async fn render_metrics() -> HttpResponse {
    HttpResponse::Ok().content_type("text/plain; version=0.0.4").body(metrics::render())
}

fn version(info: Info, started: Instant) -> HttpResponse {
    HttpResponse::Ok().json(serde_json::json!({
        "name": info.name,
        "version": info.version,
        "uptime_seconds": started.elapsed().as_secs(),
    }))
}

/// For example `post_crm_leads` or `get_crm_leads_id`.
fn operation_id(method: &Method, path: &str) -> String {
    let words = path.split(['/', '-', '.']).map(|word| word.trim_matches(['{', '}']));
    let words: Vec<_> = words.filter(|word| !word.is_empty()).collect();
    format!("{}_{}", method.as_str().to_ascii_lowercase(), words.join("_"))
}
