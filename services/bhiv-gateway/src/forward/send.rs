//! Sends a request to a module: within its time, again if that is harmless, and not at all while it is down.

use std::time::Duration;

use bhiv_broker::Backoff;
use bhiv_service::{READ, STANDBY};
use bhiv_web::{Problem, Result, codes};
use http_body_util::{Either, Full};
use hyper::header::{CONTENT_LENGTH, CONTENT_TYPE, HOST, HeaderMap, HeaderName, RETRY_AFTER};
use hyper::{Method, Request, StatusCode, Uri};
use hyper_util::client::legacy;
use tokio::time::{Instant, sleep, sleep_until};
use tracing::warn;

use super::body::{Body, Progress};
use super::client::{Answer, Client};
use super::headers::{self, REQUEST_TIMEOUT};
use crate::domain::retry::{ATTEMPTS, is_repeatable};
use crate::error::{BODY_TIMEOUT, MALFORMED_PATH, MODULE_TIMEOUT, MODULE_UNAVAILABLE};
use crate::modules::Module;

/// A request for a module.
#[derive(Debug)]
pub struct Parcel {
    /// What to do.
    pub method: Method,
    /// The path, as the module calls it, with its query.
    pub target: String,
    /// What the module is told. An `Idempotency-Key` makes it repeatable.
    pub headers: HeaderMap,
    /// What it is sent.
    pub body: Body,
    /// When it has to have answered.
    pub deadline: Deadline,
}

/// When a module has to have begun to answer.
#[derive(Clone, Copy, Debug)]
pub enum Deadline {
    /// The client wants no answer any more then.
    Wanted(Instant),
    /// A module that works answers by then.
    Usual(Instant),
    /// So long after the whole body has arrived, which may take its time.
    AfterBody(Duration),
}

/// Why a module did not answer. What was asked for is not shown: a query may name a person.
#[derive(Debug, thiserror::Error)]
enum Failure {
    /// Nobody listens.
    #[error("no connection: {0:?}")]
    NotConnected(legacy::Error),
    /// The connection ended before an answer.
    #[error("the connection ended before an answer: {0:?}")]
    Closed(legacy::Error),
    /// It takes too long.
    #[error("no answer in time")]
    Late,
    /// Something between us and the module says so. Modules answer problems in their own form.
    #[error("{status} from something on the way")]
    Relayed { status: StatusCode, retry_after: Option<u64> },
}

/// Sends `parcel` to `module` and gives its answer, whatever the module thinks of the request.
///
/// # Errors
/// 503 when the module does not answer or is left alone, 504 when it takes too long, and what was wrong with the
/// body if it could not be sent.
pub async fn send(client: &Client, module: &Module, mut parcel: Parcel) -> Result<Answer> {
    let url = module.at(&parcel.target).ok_or(MALFORMED_PATH)?;
    parcel.headers.insert(HOST, module.host());
    let progress = parcel.body.progress();
    let attempts = if parcel.is_repeatable() { ATTEMPTS } else { 1 };
    let mut backoff = Backoff::new(Duration::from_millis(50), Duration::from_millis(500));
    module.circuit.asked();
    for attempt in 1.. {
        let pass = module.circuit.enter().map_err(|pause| {
            unavailable(module, format!("{} is left alone for a while", module.name), pause.as_secs() + 1)
        })?;
        let failure = match parcel.attempt(client, &url, progress.as_ref()).await {
            Ok(answer) => {
                pass.succeeded();
                if is_of_failed_standby(&answer) && parcel.headers.remove(READ).is_some() {
                    warn!(module = module.name, status = %answer.status(), "a standby failed; the primary is asked");
                    continue;
                }
                return Ok(answer);
            }
            Err(failure) => failure,
        };
        if let Some(problem) = progress.as_ref().and_then(Progress::fault) {
            return Err(problem);
        }
        let has_arrived = progress.as_ref().is_none_or(Progress::has_arrived);
        if failure.is_modules_fault(parcel.deadline, has_arrived) {
            pass.failed();
        } else {
            drop(pass);
        }
        let pause = backoff.next_delay();
        let goes_on = attempt < attempts
            && failure.may_pass()
            && parcel.deadline.left().is_none_or(|left| left > pause)
            && module.circuit.may_retry();
        warn!(module = module.name, %failure, attempt, goes_on, "a module does not answer");
        if !goes_on {
            return Err(failure.problem(module, has_arrived));
        }
        sleep(pause).await;
    }
    Err(codes::INTERNAL.into())
}

/// A standby may cancel what is in the way of its replay, or go away in the middle.
fn is_of_failed_standby(answer: &Answer) -> bool {
    answer.status().is_server_error() && answer.headers().get(READ).is_some_and(|from| from == STANDBY)
}

impl Parcel {
    fn is_repeatable(&self) -> bool {
        let has_key = self.headers.contains_key("idempotency-key");
        let has_body = !matches!(self.body, Body::Empty);
        is_repeatable(self.method.as_str(), has_key, has_body, self.body.is_whole())
    }

    async fn attempt(
        &mut self,
        client: &Client,
        url: &Uri,
        progress: Option<&Progress>,
    ) -> std::result::Result<Answer, Failure> {
        let mut request = Request::new(Either::Left(Full::default()));
        self.method.clone_into(request.method_mut());
        url.clone_into(request.uri_mut());
        self.headers.clone_into(request.headers_mut());
        if let Some(left) = self.deadline.left() {
            let left = format!("{}.{:03}", left.as_secs(), left.subsec_millis());
            headers::set(request.headers_mut(), const { HeaderName::from_static(REQUEST_TIMEOUT) }, left);
        }
        match &mut self.body {
            Body::Empty => {}
            Body::Whole(bytes) => *request.body_mut() = Either::Left(bytes.clone().into()),
            Body::Stream(upload) => {
                if let Some(upload) = upload.take() {
                    if let Some(length) = upload.length {
                        request.headers_mut().insert(CONTENT_LENGTH, length.into());
                    }
                    *request.body_mut() = upload.body;
                }
            }
        }
        let answer = tokio::select! {
            answer = client.execute(request) => answer,
            () = self.deadline.passed(progress) => return Err(Failure::Late),
        };
        let answer = answer.map_err(|error| {
            if error.is_connect() { Failure::NotConnected(error) } else { Failure::Closed(error) }
        })?;
        match Failure::relayed(&answer) {
            Some(failure) => Err(failure),
            None => Ok(answer),
        }
    }
}

impl Deadline {
    /// What is left; `None` if it has not begun.
    fn left(self) -> Option<Duration> {
        match self {
            Self::Wanted(at) | Self::Usual(at) => Some(at.saturating_duration_since(Instant::now())),
            Self::AfterBody(_) => None,
        }
    }

    /// Waits until it has passed.
    async fn passed(self, progress: Option<&Progress>) {
        match self {
            Self::Wanted(at) | Self::Usual(at) => sleep_until(at).await,
            Self::AfterBody(patience) => {
                if let Some(progress) = progress {
                    progress.arrived().await;
                }
                sleep(patience).await;
            }
        }
    }
}

impl Failure {
    fn relayed(answer: &Answer) -> Option<Self> {
        let status = answer.status();
        let is_gateways = matches!(
            status,
            StatusCode::BAD_GATEWAY | StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT
        );
        let text = |name| answer.headers().get(name).and_then(|value| value.to_str().ok());
        let is_modules = text(CONTENT_TYPE).is_some_and(|kind| kind.starts_with("application/problem+json"));
        let retry_after = text(RETRY_AFTER).and_then(|seconds| seconds.parse().ok());
        (is_gateways && !is_modules).then_some(Self::Relayed { status, retry_after })
    }

    /// Whether it says something about the module. A deadline of the client's own does not, nor does a body that
    /// had not arrived: the module may have refused it in the middle.
    fn is_modules_fault(&self, deadline: Deadline, has_arrived: bool) -> bool {
        match self {
            Self::NotConnected(_) | Self::Relayed { .. } => true,
            Self::Closed(_) => has_arrived,
            Self::Late => has_arrived && !matches!(deadline, Deadline::Wanted(_)),
        }
    }

    /// Whether it may be over soon. What took too long will again.
    fn may_pass(&self) -> bool {
        match self {
            Self::NotConnected(_) | Self::Closed(_) => true,
            Self::Late => false,
            Self::Relayed { status, retry_after } => {
                *status != StatusCode::GATEWAY_TIMEOUT && retry_after.is_none()
            }
        }
    }

    fn problem(self, module: &Module, has_arrived: bool) -> Problem {
        match self {
            Self::Late if !has_arrived => BODY_TIMEOUT.into(),
            Self::Late | Self::Relayed { status: StatusCode::GATEWAY_TIMEOUT, .. } => {
                Problem::new(MODULE_TIMEOUT, format!("{} has not answered in time", module.name))
                    .with("module", module.name)
            }
            Self::NotConnected(_) | Self::Closed(_) => {
                unavailable(module, format!("{} does not answer", module.name), 5)
            }
            Self::Relayed { retry_after, .. } => {
                unavailable(module, format!("{} does not answer", module.name), retry_after.unwrap_or(5))
            }
        }
    }
}

/// 503 that names the module. The others are not concerned.
fn unavailable(module: &Module, detail: String, seconds: u64) -> Problem {
    Problem::new(MODULE_UNAVAILABLE, detail).with("module", module.name).retry_after(seconds)
}
