//! crm reads from a standby, which is near, then fails in the middle, then is far behind, then away; somebody writes, and
//! somebody else reads.

use std::time::Duration;

use reqwest::StatusCode;
use serde_json::{Value, json};
use tokio::time::Instant;
use url::Url;

use super::{SERVICES, administrator, environment};
use crate::Result;
use crate::control::Servers;
use crate::node::Node;

/// What the standby may lack.
const BOUND: Duration = Duration::from_secs(1);

/// And what an answer may take besides.
const ANSWER: Duration = Duration::from_millis(500);

/// Leads that are written for each state of the standby.
const LEADS: usize = 20;

/// How often the standby is made to fail, until it does so in the middle of a read.
const ATTEMPTS: usize = 10;

/// The gateway, and crm with a standby.
#[derive(Debug)]
pub struct Reads {
    servers: Servers,
    crm: Node,
    gateway: Node,
    http: reqwest::Client,
    writer: String,
    reader: String,
}

impl Reads {
    /// Both run, and the standby follows.
    pub async fn begin(servers: &Servers) -> Result<Self> {
        servers.script(&["system_fresh"]).await?;
        servers.script(&["standby_up"]).await?;
        let port = servers.script(&["standby_port"]).await?.trim().parse()?;
        let mut crm = node(servers, "crm")?;
        let settings = environment(servers, "crm", 0)?;
        let mut standby = Url::parse(settings.get("DATABASE_URL").ok_or("crm has no database")?)?;
        standby.set_port(Some(port)).map_err(|()| "the address of PostgreSQL takes no port")?;
        crm.set("DATABASE_READ_URL", standby.as_str());
        let mut gateway = node(servers, "bhiv-gateway")?;
        let bound = BOUND.as_millis().to_string();
        crm.set("READ_MAX_STALENESS_MS", &bound);
        gateway.set("MODULE_READ_STALENESS_MS", &bound);
        for node in [&mut crm, &mut gateway] {
            node.start(None)?;
        }
        crm.ready().await?;
        gateway.ready().await?;
        let http = reqwest::Client::builder().timeout(Duration::from_secs(15)).no_proxy().build()?;
        let (writer, reader) = (administrator(servers, "writer")?, administrator(servers, "reader")?);
        Ok(Self { servers: servers.clone(), crm, gateway, http, writer, reader })
    }

    /// Each write is read by its writer at once, and by others within the bound. Answers what the table shows.
    pub async fn are_near(mut self) -> Result<String> {
        let near = self.write_and_read().await?;
        let used = self.reads("used").await?;
        if used < 1.0 {
            return Err("the standby was never asked".into());
        }
        self.read_in_the_way().await?;
        self.servers.script(&["standby_lag", "1min"]).await?;
        let behind = self.write_and_read().await?;
        let (refused, used_then) = (self.reads("behind").await?, self.reads("used").await?);
        if refused < 1.0 {
            return Err("the standby was never found to be behind".into());
        }
        self.servers.script(&["standby_down"]).await?;
        let away = self.write_and_read().await?;
        self.gateway.stop().await?;
        self.crm.stop().await?;
        Ok(format!(
            "others saw a write within {near:.0?} of its answer, a read that the standby cancelled was answered, {behind:.0?} with a standby a minute behind, {away:.0?} \
             without one; of their reads the standby answered {used_then} and was too far behind for {refused}"
        ))
    }

    /// A read that the standby has begun and cancels is answered all the same.
    async fn read_in_the_way(&self) -> Result<()> {
        let lead = self.write().await?;
        // A standby whose replay stands still is asked for no longer than the bound.
        for _ in 0..ATTEMPTS {
            self.servers.script(&["standby_hold", "crm.leads"]).await?;
            let (seen, cancelled) =
                tokio::join!(self.sees(&self.reader, &lead), self.servers.script(&["standby_cancel"]));
            if cancelled?.trim() != "0" {
                return if seen? { Ok(()) } else { Err("a lead is not seen after a standby failed".into()) };
            }
            seen?;
        }
        Err(format!("in {ATTEMPTS} attempts no read waited at the standby").into())
    }

    /// Answers how long a write stayed unseen by others, at most.
    async fn write_and_read(&self) -> Result<Duration> {
        let mut longest = Duration::ZERO;
        for _ in 0..LEADS {
            let lead = self.write().await?;
            let written = Instant::now();
            if !self.sees(&self.writer, &lead).await? {
                return Err("whoever wrote a lead does not see it".into());
            }
            while !self.sees(&self.reader, &lead).await? {
                if written.elapsed() > BOUND + ANSWER {
                    return Err(format!(
                        "others do not see a lead {:?} after it was written",
                        written.elapsed()
                    )
                    .into());
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            longest = longest.max(written.elapsed());
        }
        Ok(longest)
    }

    async fn write(&self) -> Result<String> {
        let lead =
            json!({"name": "Asha Verma", "email": "asha@example.com", "consent": {"purposes": ["contact"]}});
        let url = format!("{}/crm/leads", self.gateway.url);
        let answer = self.http.post(url).bearer_auth(&self.writer).json(&lead).send().await?;
        let (status, body): (_, Value) = (answer.status(), answer.json().await?);
        let id = body.get("id").and_then(Value::as_str);
        Ok(id.ok_or_else(|| format!("a lead was answered with {status} {body}"))?.to_owned())
    }

    async fn sees(&self, token: &str, lead: &str) -> Result<bool> {
        // Nothing that the gateway keeps: that is asked of the primary.
        let url = format!("{}/crm/leads/{lead}/history", self.gateway.url);
        let answer = self.http.get(url).bearer_auth(token).send().await?;
        match answer.status() {
            StatusCode::OK => Ok(true),
            StatusCode::NOT_FOUND => Ok(false),
            status => Err(format!("a lead was answered with {status}").into()),
        }
    }

    /// Reads that a standby could have answered, by what became of them.
    async fn reads(&self, outcome: &str) -> Result<f64> {
        self.crm.metric("db_standby_reads_total", &format!("outcome=\"{outcome}\"")).await
    }
}

fn node(servers: &Servers, service: &str) -> Result<Node> {
    let (_, place) = SERVICES.iter().find(|(name, _)| *name == service).ok_or("no such service")?;
    let log = servers.run.join(format!("{service}-1.log"));
    let settings = environment(servers, service, 0)?;
    Ok(Node::new(
        service.to_owned(),
        servers.programs.join(service),
        log,
        servers.http_base + place,
        settings,
    ))
}
