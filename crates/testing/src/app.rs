use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::ServerHandle;
use bhiv_auth::{Caller, Keys, Role, Signer, Verifier};
use bhiv_broker::wire;
use bhiv_clock::Clock;
use bhiv_db::Pool;
use bhiv_events::{Contract, Event};
use bhiv_outbox::{Outcome, Processor};
use bhiv_service::{Context, Service, serve};
use bhiv_settings::Auth;
use bhiv_web::{Authority, Health};
use chrono::{DateTime, TimeDelta, Utc};
use diesel::sql_types::{Bytea, Jsonb};
use diesel_async::RunQueryDsl as _;
use reqwest::{Client, Method, StatusCode};
use serde_json::Value;
use tempfile::TempDir;

use crate::TestDatabase;

/// When tests begin.
const BEGIN: i64 = 1_800_000_000;

/// Threads that answer requests.
const WORKERS: usize = 1;

/// A service in the test's own process: real HTTP, real PostgreSQL, no broker.
#[derive(Debug)]
pub struct TestApp {
    /// Where it listens.
    pub url: String,
    /// Its time, which stands still unless the test moves it.
    pub clock: Clock,
    /// Its schema.
    pub database: TestDatabase,
    /// What its handlers work with.
    pub context: Context,
    processor: Processor,
    signer: Signer,
    client: Client,
    role: Role,
    keys: Arc<TempDir>,
    server: ServerHandle,
}

/// An answer, read whole.
#[derive(Debug)]
pub struct Answer {
    /// HTTP status.
    pub status: StatusCode,
    /// Headers.
    pub headers: reqwest::header::HeaderMap,
    /// The body, if it is JSON.
    pub body: Value,
}

impl Answer {
    /// Expects this status, and answers the body.
    #[track_caller]
    pub fn expect(self, status: u16) -> Value {
        assert_eq!(self.status.as_u16(), status, "{:#}", self.body);
        self.body
    }

    /// Expects a problem with this status and code, and answers its body.
    #[track_caller]
    pub fn expect_problem(self, status: u16, code: &str) -> Value {
        let content_type = self.headers["content-type"].to_str().unwrap().to_owned();
        let body = self.expect(status);
        assert_eq!(content_type, "application/problem+json");
        assert_eq!(body["code"], code, "{body:#}");
        assert_eq!(body["status"], status);
        assert!(body["request_id"].as_str().is_some_and(|id| !id.is_empty()), "{body:#}");
        body
    }
}

impl TestApp {
    /// Starts `S`.
    pub async fn start<S: Service>(config: S::Config) -> Self {
        Self::start_with::<S>(|_| config).await
    }

    /// Starts `S` with settings that need to know the issuer's private key.
    pub async fn start_with<S: Service>(config: impl FnOnce(&Path) -> S::Config) -> Self {
        let keys = tempfile::tempdir().unwrap();
        Keys::generate(&keys.path().join("key.pem"), &keys.path().join("jwks.json")).unwrap();
        let database = TestDatabase::migrated(S::MIGRATIONS).await;
        let begin = DateTime::<Utc>::from_timestamp(BEGIN, 0).unwrap();
        Self::assemble::<S>(Arc::new(keys), database, Clock::manual(begin, 1), config)
    }

    /// Starts another replica of `S` beside `first`: the same schema, keys, time and ids; everything else is its
    /// own.
    pub fn replica_of<S: Service>(first: &Self, config: impl FnOnce(&Path) -> S::Config) -> Self {
        Self::assemble::<S>(Arc::clone(&first.keys), first.database.clone(), first.clock.clone(), config)
    }

    fn assemble<S: Service>(
        keys: Arc<TempDir>,
        database: TestDatabase,
        clock: Clock,
        config: impl FnOnce(&Path) -> S::Config,
    ) -> Self {
        let (pem, jwks) = (keys.path().join("key.pem"), keys.path().join("jwks.json"));
        let pool = Pool::new(&database.settings(), WORKERS).unwrap();
        let context = Context::new(pool.clone(), S::PRODUCER, clock.clone());
        let mut app = S::build(config(&pem), &context).unwrap();
        let processor = Processor::new(pool, app.bindings(), clock.clone(), context.wake().clone());

        let auth = Auth {
            auth_jwks_file: jwks,
            auth_issuer: "bhiv-gateway".to_owned(),
            auth_audience: "bhiv".to_owned(),
        };
        let signer = Signer::new(&pem, &auth.auth_issuer, &auth.auth_audience).unwrap();
        let authority = Authority { verifier: Verifier::new(&auth).unwrap(), clock: clock.clone() };

        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        for (_, job) in app.start_jobs(context.stopping()) {
            tokio::spawn(job);
        }
        let server =
            serve(listener, WORKERS, &S::api(), &app, authority, &context, Health::default()).unwrap();
        let handle = server.handle();
        tokio::spawn(server);
        let (client, role) = (Client::new(), Role::Admin);
        Self { url, clock, database, context, processor, signer, client, role, keys, server: handle }
    }

    /// Answers nothing from now on; open connections are closed.
    pub async fn stop(&self) {
        self.server.stop(false).await;
    }

    /// Speaks as a user with that role from now on; before, as an administrator.
    pub fn speak_as(&mut self, role: Role) {
        self.role = role;
    }

    /// A token of a user with that role.
    pub fn token(&self, role: Role) -> String {
        self.token_of(&format!("{}-1", role.name()), role)
    }

    /// A token of this user with that role.
    pub fn token_of(&self, user: &str, role: Role) -> String {
        self.signer.sign(user, &[role], self.clock.now(), TimeDelta::hours(1)).unwrap()
    }

    /// A token of this user with that role, in that team.
    pub fn token_in_team(&self, user: &str, role: Role, team: &str) -> String {
        let mut caller = Caller::new(user, &[role], self.clock.now() + TimeDelta::hours(1));
        caller.team = Some(team.to_owned());
        self.signer.access(&caller, self.clock.now()).unwrap()
    }

    /// A token of a machine of this user, who has that role.
    pub fn token_of_machine(&self, machine: &str, user: &str, role: Role) -> String {
        let mut caller = Caller::new(machine, &[role], self.clock.now() + TimeDelta::hours(1));
        caller.owner = Some(user.to_owned());
        self.signer.access(&caller, self.clock.now()).unwrap()
    }

    /// Sends a request with a token.
    pub async fn send(&self, method: Method, path: &str, body: Option<Value>) -> Answer {
        let request =
            self.client.request(method, format!("{}{path}", self.url)).bearer_auth(self.token(self.role));
        let request = match body {
            Some(body) => request.json(&body),
            None => request,
        };
        Self::read(request).await
    }

    /// Sends a request that the test made itself.
    pub async fn read(request: reqwest::RequestBuilder) -> Answer {
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        let body = response.bytes().await.unwrap();
        Answer { status, headers, body: serde_json::from_slice(&body).unwrap_or(Value::Null) }
    }

    /// Begins a request without a token.
    pub fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.client.request(method, format!("{}{path}", self.url))
    }

    /// `GET path`.
    pub async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, None).await
    }

    /// `POST path` with a JSON body.
    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.send(Method::POST, path, Some(body)).await
    }

    /// `PUT path` with a JSON body.
    pub async fn put(&self, path: &str, body: Value) -> Answer {
        self.send(Method::PUT, path, Some(body)).await
    }

    /// `PATCH path` with a JSON body.
    pub async fn patch(&self, path: &str, body: Value) -> Answer {
        self.send(Method::PATCH, path, Some(body)).await
    }

    /// `DELETE path`.
    pub async fn delete(&self, path: &str) -> Answer {
        self.send(Method::DELETE, path, None).await
    }

    /// A new event around `data`, as its producer would send it.
    pub fn event<C: Contract>(&self, data: &C) -> Event {
        Event::around(self.clock.id(), data)
    }

    /// Delivers an event as the broker would, and answers what each handler made of it.
    pub async fn deliver(&self, event: &Event) -> Vec<Outcome> {
        self.processor.deliver(event.clone()).await.unwrap()
    }

    /// Delivers an event twice: the first time it is handled, the second time nothing happens.
    pub async fn deliver_twice(&self, event: &Event) {
        let outcomes = self.deliver(event).await;
        assert!(!outcomes.is_empty(), "nobody hears {}", event.name());
        assert!(outcomes.iter().all(|outcome| *outcome == Outcome::Done), "{outcomes:?}");
        let recorded = self.recorded().await.len();
        let outcomes = self.deliver(event).await;
        assert!(outcomes.iter().all(|outcome| *outcome == Outcome::Repeated), "{outcomes:?}");
        assert_eq!(self.recorded().await.len(), recorded, "the repetition recorded events");
    }

    /// Asks until there is an answer, for at most half a minute: machines are busy at times.
    pub async fn eventually<T>(&self, ask: impl AsyncFn() -> Option<T>) -> T {
        eventually(ask).await
    }

    /// Tries parked messages again.
    pub async fn retry_parked(&self) -> usize {
        self.processor.retry_parked().await.unwrap()
    }

    /// Every event that was recorded, the audit rows too, oldest first.
    pub async fn recorded(&self) -> Vec<Event> {
        #[derive(diesel::QueryableByName)]
        struct Row {
            #[diesel(sql_type = Jsonb)]
            headers: Value,
            #[diesel(sql_type = Bytea)]
            payload: Vec<u8>,
        }
        let mut conn = self.context.read().await.unwrap();
        let rows: Vec<Row> = diesel::sql_query("SELECT headers, payload FROM outbox ORDER BY id")
            .load(&mut conn)
            .await
            .unwrap();
        rows.into_iter()
            .map(|row| {
                let headers = serde_json::from_value(row.headers).unwrap();
                wire::read(&headers, &row.payload).unwrap()
            })
            .collect()
    }

    /// The recorded events of the contract `C`.
    pub async fn recorded_as<C: Contract>(&self) -> Vec<C> {
        self.recorded()
            .await
            .iter()
            .filter(|event| event.type_ == C::KIND.type_)
            .map(|event| event.read().unwrap())
            .collect()
    }

    /// Public names of the recorded events, without audit rows.
    pub async fn recorded_names(&self) -> Vec<String> {
        let events = self.recorded().await;
        events.iter().map(Event::name).filter(|name| name != "audit_recorded").collect()
    }

    /// Actions of the recorded audit rows.
    pub async fn audited(&self) -> Vec<String> {
        let events = self.recorded().await;
        events
            .iter()
            .filter(|event| event.name() == "audit_recorded")
            .map(|event| event.data["action"].as_str().unwrap_or_default().to_owned())
            .collect()
    }
}

/// Asks until there is an answer, for at most half a minute: machines are busy at times.
pub async fn eventually<T>(ask: impl AsyncFn() -> Option<T>) -> T {
    let asking = async {
        loop {
            if let Some(answer) = ask().await {
                return answer;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), asking).await.unwrap()
}
