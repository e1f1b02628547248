use std::fs;
use std::path::Path;
use std::time::Duration;

use bhiv_clock::Clock;
use bhiv_settings::Secret;
use reqwest::header::{HeaderMap, HeaderValue};
use reqwest::{Certificate, Method, StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;

/// How often a request is sent to a system that is away for a moment, as while a service is restarted.
const TRIES: u32 = 6;

/// Wait after the first try; longer each time.
const PAUSE: Duration = Duration::from_millis(250);

/// A caller of the gateway, within one causal story.
#[derive(Debug)]
pub struct Client {
    http: reqwest::Client,
    pub url: String,
    token: String,
    clock: Clock,
    /// Joins everything that this run causes.
    pub story: Uuid,
}

/// An answer.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub body: Value,
    /// The trace that the request began.
    pub trace: String,
}

/// What asks. It trusts the certificate in `ca_file` beside those of public authorities.
pub fn http(ca_file: Option<&Path>) -> Result<reqwest::Client, Box<dyn std::error::Error>> {
    let mut builder = reqwest::Client::builder().no_proxy();
    if let Some(file) = ca_file {
        let pem = fs::read(file).map_err(|error| format!("{}: {error}", file.display()))?;
        builder = builder.tls_certs_merge(Certificate::from_pem_bundle(&pem)?);
    }
    Ok(builder.build()?)
}

impl Client {
    /// Logs in.
    pub async fn log_in(
        http: reqwest::Client,
        url: &str,
        email: &str,
        password: &Secret,
        clock: Clock,
    ) -> Result<Self, Box<dyn std::error::Error>> {
        let url = url.trim_end_matches('/').to_owned();
        let credentials = json!({"email": email, "password": password.expose()});
        let answer = http.post(format!("{url}/auth/login")).json(&credentials).send().await?;
        let (status, body) = (answer.status(), answer.json::<Value>().await?);
        let token = body.get("access_token").and_then(Value::as_str);
        let token = token.ok_or_else(|| format!("{email} cannot log in: {status} {body}"))?.to_owned();
        let story = clock.id();
        Ok(Self { http, url, token, clock, story })
    }

    /// Sends a request, as part of the story and with a trace of its own.
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Answer, reqwest::Error> {
        // What is sent again has the same key, so it has no second effect.
        let key = self.clock.id().to_string();
        let mut tries = 1;
        loop {
            let answer = self.send_once(method.clone(), path, body, &key).await;
            let is_away = match &answer {
                Ok(answer) => is_away(answer),
                Err(error) => error.is_connect() || error.is_request(),
            };
            if !is_away || tries == TRIES {
                return answer;
            }
            tokio::time::sleep(PAUSE * tries).await;
            tries += 1;
        }
    }

    async fn send_once(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        key: &str,
    ) -> Result<Answer, reqwest::Error> {
        let trace = self.clock.id().simple().to_string();
        let span: String = self.clock.id().simple().to_string().chars().skip(16).collect();
        let mut request = self
            .http
            .request(method, format!("{}{path}", self.url))
            .headers(self.story_header())
            .header("Idempotency-Key", key)
            .header("traceparent", format!("00-{trace}-{span}-01"))
            .bearer_auth(&self.token);
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = request.send().await?;
        Ok(Answer { status: answer.status(), body: answer.json().await.unwrap_or_default(), trace })
    }

    /// The live stream of the story's events.
    pub async fn stream(&self) -> Result<reqwest::Response, reqwest::Error> {
        let url = format!("{}/events/stream?correlation_id={}", self.url, self.story);
        self.http.get(url).bearer_auth(&self.token).send().await?.error_for_status()
    }

    /// A file, as it comes.
    pub async fn download(&self, path: &str) -> Result<reqwest::Response, reqwest::Error> {
        let request = self.http.get(format!("{}{path}", self.url)).bearer_auth(&self.token);
        request.send().await?.error_for_status()
    }

    fn story_header(&self) -> HeaderMap {
        let mut headers = HeaderMap::new();
        if let Ok(story) = HeaderValue::from_str(&self.story.to_string()) {
            headers.insert("x-correlation-id", story);
        }
        headers
    }
}

/// Whether the same request may soon be answered.
fn is_away(answer: &Answer) -> bool {
    let is_under_way = answer.body.get("code").is_some_and(|code| code == "idempotency_in_flight");
    matches!(answer.status.as_u16(), 502..=504) || is_under_way
}
