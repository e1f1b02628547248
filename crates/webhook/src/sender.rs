use std::error::Error;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use reqwest::Client;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{CONTENT_TYPE, RETRY_AFTER};
use uuid::Uuid;

use crate::retry::retry_after;
use crate::{CallbackUrl, Settings, Targets, signatures};

/// An answer is read so far, in bytes, so that the connection can be used again. What it says does not count.
const MAX_ANSWER: usize = 64 * 1024;

/// Sends webhooks. Cloning it shares it.
#[derive(Clone, Debug)]
pub struct Sender {
    client: Client,
    targets: Arc<Targets>,
}

/// What is sent.
#[derive(Clone, Debug)]
pub struct Parcel<'a> {
    /// Where.
    pub url: &'a str,
    /// Its id, the same in every attempt: the receiver takes it once.
    pub id: Uuid,
    /// What the body is, for example `application/json`.
    pub content_type: &'static str,
    /// The body.
    pub body: String,
    /// It is signed with each of these.
    pub secrets: &'a [&'a str],
}

/// What came back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// HTTP status, if there was an answer.
    pub status: Option<u16>,
    /// When the receiver wants to be asked again.
    pub retry_after: Option<TimeDelta>,
    /// What went wrong.
    pub error: Option<String>,
}

impl Sender {
    /// # Errors
    /// When there can be no client.
    pub fn new(settings: &Settings) -> Result<Self, String> {
        let targets = Arc::new(Targets {
            allow_http: settings.webhook_allow_http,
            networks: settings.webhook_allowed_networks.clone(),
        });
        let client = Client::builder()
            .user_agent(concat!("bhiv-webhooks/", env!("CARGO_PKG_VERSION")))
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .dns_resolver(Arc::new(OnlyAllowed(Arc::clone(&targets))))
            .connect_timeout(Duration::from_secs(5))
            .timeout(Duration::from_millis(settings.webhook_timeout_ms.max(1)))
            .pool_idle_timeout(Duration::from_secs(30))
            .build()
            .map_err(|error| error.to_string())?;
        Ok(Self { client, targets })
    }

    /// Checks what can be known of a URL before it is sent to.
    ///
    /// # Errors
    /// Why it may not be.
    pub fn check(&self, url: &CallbackUrl) -> Result<(), &'static str> {
        self.targets.check(url)
    }

    /// Makes a delivery.
    pub async fn send(&self, parcel: Parcel<'_>, now: DateTime<Utc>) -> Answer {
        self.try_to_send(parcel, now)
            .await
            .unwrap_or_else(|error| Answer { error: Some(error), ..Answer::default() })
    }

    async fn try_to_send(&self, parcel: Parcel<'_>, now: DateTime<Utc>) -> Result<Answer, String> {
        // Again: what is allowed may have changed, and an address in the URL does not go through the resolver.
        let Parcel { url, id, content_type, body, secrets } = parcel;
        let url = CallbackUrl::try_from(url.to_owned())?;
        self.check(&url)?;
        let mut sending = self
            .client
            .post(url.as_str())
            .header(CONTENT_TYPE, content_type)
            .header("webhook-id", id.to_string())
            .header("webhook-timestamp", now.timestamp().to_string());
        if !secrets.is_empty() {
            let signatures = signatures(secrets, id, now, body.as_bytes());
            sending = sending.header("webhook-signature", signatures);
        }
        let mut answer = sending.body(body).send().await.map_err(|error| reason(&error))?;
        let status = answer.status();
        let asked = answer.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
        let retry_after = asked.and_then(|header| retry_after(header, now));
        let mut read = 0;
        while read < MAX_ANSWER
            && let Ok(Some(chunk)) = answer.chunk().await
        {
            read += chunk.len();
        }
        let error = match status.as_u16() {
            200..=299 => None,
            300..=399 => Some("redirects are not followed".to_owned()),
            _ => Some(format!("answered {status}")),
        };
        Ok(Answer { status: Some(status.as_u16()), retry_after, error })
    }
}

/// Why nobody answered, without the URL, which may hold a secret of the receiver's.
fn reason(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "took too long".to_owned();
    }
    let mut cause: &dyn Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    if cause.is::<reqwest::Error>() { "cannot be sent to".to_owned() } else { cause.to_string() }
}

/// Looks names up and leaves out the addresses that may not be sent to. It is asked for each connection, and the
/// connection goes to what it answers: a name cannot stand for one address when it is checked and for another
/// one when it is sent to.
struct OnlyAllowed(Arc<Targets>);

impl Resolve for OnlyAllowed {
    fn resolve(&self, name: Name) -> Resolving {
        let targets = Arc::clone(&self.0);
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let allowed: Vec<SocketAddr> = found.filter(|found| targets.allow(found.ip())).collect();
            if allowed.is_empty() {
                return Err("is no address of the public internet".into());
            }
            Ok(Box::new(allowed.into_iter()) as Addrs)
        })
    }
}
