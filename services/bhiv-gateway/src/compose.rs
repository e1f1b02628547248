//! Answers made of what several modules answer, asked side by side in the caller's own name: each module checks
//! again what they may read. A part that is missing is named, and the rest is answered.

use std::future::{Ready, ready};
use std::time::Duration;

use actix_web::dev::Payload;
use actix_web::web::Data;
use actix_web::{FromRequest, HttpRequest};
use bhiv_telemetry::trace;
use bhiv_web::{Describe, Operation, Problem, REQUEST_ID, RequestMeta, codes};
use hyper::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use hyper::{Method, StatusCode};
use serde::Serialize;
use serde_json::Value;
use tokio::time::{Instant, timeout_at};
use utoipa::ToSchema;

use crate::error::MODULE_TIMEOUT;
use crate::forward::{Body, Client, Deadline, Parcel, send, whole};
use crate::modules::{Module, Modules};

/// A part that takes longer is missing.
const PATIENCE: Duration = Duration::from_secs(3);

/// Asks modules.
pub struct Asking {
    modules: Data<Modules>,
    client: Data<Client>,
    headers: HeaderMap,
}

/// What is asked of which module, and for which part of the answer.
#[derive(Clone, Debug)]
pub struct Question {
    /// The part of the answer.
    part: &'static str,
    /// Name of the module.
    module: &'static str,
    /// Path and query.
    path: String,
}

impl Question {
    /// `path` begins with a slash and may have a query.
    pub fn new(part: &'static str, module: &'static str, path: impl Into<String>) -> Self {
        Self { part, module, path: path.into() }
    }
}

/// A part that is missing, and why.
#[derive(Debug)]
pub struct Missing {
    part: &'static str,
    module: &'static str,
    why: Why,
}

#[derive(Debug)]
enum Why {
    /// There is no such thing.
    Absent,
    /// The caller may not read it.
    Denied(Option<String>),
    /// It is not known at the moment.
    Unknown(Reason),
}

/// Why a part is not known at the moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The module does not answer.
    Down,
    /// The module takes too long.
    Timeout,
    /// The module answers with an error.
    Failed,
    /// It follows from another part, which is missing.
    Follows,
}

impl Missing {
    /// Whether the module says that there is no such thing.
    pub fn is_absent(&self) -> bool {
        matches!(self.why, Why::Absent)
    }
}

/// A part that the answer should have.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = MissingPart)]
pub struct Unknown {
    /// Which part.
    part: &'static str,
    /// The module that owns it.
    module: &'static str,
    /// Why it is missing.
    reason: Reason,
}

/// A part that the caller may not read.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DeniedPart)]
pub struct Denied {
    /// Which part.
    part: &'static str,
    /// The module that owns it.
    module: &'static str,
    /// The permission that the caller lacks, if the module names one.
    required_permission: Option<String>,
}

/// What an answer lacks.
#[derive(Debug, Default, Serialize, ToSchema)]
pub struct Gaps {
    /// Parts that are not known at the moment.
    partial: Vec<Unknown>,
    /// Parts that the caller may not read.
    denied: Vec<Denied>,
}

impl Gaps {
    /// The part, if it is there; otherwise it is named. A thing that does not exist is no gap.
    pub fn take<T>(&mut self, part: Result<T, Missing>) -> Option<T> {
        let Missing { part, module, why } = match part {
            Ok(part) => return Some(part),
            Err(missing) => missing,
        };
        match why {
            Why::Absent => {}
            Why::Denied(required_permission) => {
                // A part may have been asked for by several questions.
                if !self.denied.iter().any(|denied| denied.part == part) {
                    self.denied.push(Denied { part, module, required_permission });
                }
            }
            Why::Unknown(reason) => self.lacks(part, module, reason),
        }
        None
    }

    /// A part of `module` is missing because another one is.
    pub fn follows(&mut self, part: &'static str, module: &'static str) {
        self.lacks(part, module, Reason::Follows);
    }

    fn lacks(&mut self, part: &'static str, module: &'static str, reason: Reason) {
        if !self.partial.iter().any(|unknown| unknown.part == part) {
            self.partial.push(Unknown { part, module, reason });
        }
    }
}

/// A list, or its beginning.
#[derive(Debug, Default, Serialize, ToSchema)]
#[schema(as = ListPart)]
pub struct List {
    /// The items, the newest first.
    #[schema(value_type = Vec<Object>)]
    pub items: Vec<Value>,
    /// How many items there are.
    pub total: i64,
    /// Whether there are more items than shown; the module's own list has them all.
    truncated: bool,
}

impl List {
    /// A text of each item.
    pub fn texts(&self, field: &str) -> Vec<&str> {
        self.items.iter().filter_map(|item| item.get(field)?.as_str()).collect()
    }
}

impl Asking {
    /// The same with another token instead of the caller's.
    pub fn with_token(mut self, token: &str) -> Self {
        self.headers.remove(AUTHORIZATION);
        if let Ok(value) = HeaderValue::from_str(&format!("Bearer {token}")) {
            self.headers.insert(AUTHORIZATION, value);
        }
        self
    }

    /// Every module.
    pub fn modules(&self) -> &[Module] {
        self.modules.all()
    }

    /// What the module answers.
    ///
    /// # Errors
    /// When that part is missing.
    pub async fn get(&self, question: Question) -> Result<Value, Missing> {
        let Question { part, module, path } = question;
        let answer = self.ask(module, &path).await;
        answer.map_err(|why| Missing { part, module, why })
    }

    /// The list that the module answers, of which `path` names a part.
    ///
    /// # Errors
    /// When that part is missing.
    pub async fn list(&self, question: Question) -> Result<List, Missing> {
        let (part, module) = (question.part, question.module);
        let mut answer = self.get(question).await?;
        let items = answer.get_mut("items").map(Value::take);
        let total = answer.get("total").and_then(Value::as_i64);
        match (items, total) {
            (Some(Value::Array(items)), Some(total)) => {
                let truncated = i64::try_from(items.len()).is_ok_and(|shown| shown < total);
                Ok(List { items, total, truncated })
            }
            _ => Err(Missing { part, module, why: Why::Unknown(Reason::Failed) }),
        }
    }

    /// The text that the module answers to anybody, whatever its status; `None` without an answer in time.
    pub async fn text(&self, module: &str, path: &str) -> Option<String> {
        let module = self.modules.named(module)?;
        let (_, body) = self.client.read(module.at(path)?, PATIENCE).await.ok()?;
        String::from_utf8(body.into()).ok()
    }

    async fn ask(&self, module: &str, path: &str) -> Result<Value, Why> {
        let module = self.modules.named(module).ok_or(Why::Unknown(Reason::Failed))?;
        let until = Instant::now() + PATIENCE;
        let parcel = Parcel {
            method: Method::GET,
            target: path.to_owned(),
            headers: self.headers.clone(),
            body: Body::Empty,
            deadline: Deadline::Wanted(until),
        };
        let answer = send(&self.client, module, parcel).await.map_err(|problem| {
            Why::Unknown(if problem.code() == MODULE_TIMEOUT { Reason::Timeout } else { Reason::Down })
        })?;
        let status = answer.status();
        let body = match timeout_at(until, whole(answer.into_body())).await {
            Ok(Ok(body)) => body,
            Ok(Err(_)) => return Err(Why::Unknown(Reason::Failed)),
            Err(_) => return Err(Why::Unknown(Reason::Timeout)),
        };
        let body = serde_json::from_slice::<Value>(&body);
        match (status, body) {
            (StatusCode::OK, Ok(body)) => Ok(body),
            (StatusCode::NOT_FOUND, _) => Err(Why::Absent),
            (StatusCode::FORBIDDEN, body) => {
                let permission =
                    body.ok().and_then(|body| Some(body.get("required_permission")?.as_str()?.to_owned()));
                Err(Why::Denied(permission))
            }
            (status, _) => {
                tracing::warn!(module = module.name, %status, "a module does not answer what was asked");
                Err(Why::Unknown(Reason::Failed))
            }
        }
    }
}

impl FromRequest for Asking {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(asking(request).ok_or_else(|| codes::INTERNAL.into()))
    }
}

fn asking(request: &HttpRequest) -> Option<Asking> {
    let mut headers = HeaderMap::new();
    let mut insert = |name, value: &[u8]| {
        if let Ok(value) = HeaderValue::from_bytes(value) {
            headers.insert(name, value);
        }
    };
    if let Some(token) = request.headers().get(AUTHORIZATION.as_str()) {
        insert(AUTHORIZATION.as_str(), token.as_bytes());
    }
    insert(REQUEST_ID, RequestMeta::of(request).id.as_bytes());
    if let Some(traceparent) = trace::current() {
        insert(trace::TRACEPARENT, traceparent.as_bytes());
    }
    Some(Asking {
        modules: request.app_data::<Data<Modules>>()?.clone(),
        client: request.app_data::<Data<Client>>()?.clone(),
        headers,
    })
}

impl Describe for Asking {
    fn describe(_: &mut Operation) {}
}
