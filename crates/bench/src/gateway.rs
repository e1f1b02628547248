//! The gateway: what it takes to pass through it, and what it gives.

mod bare;
mod consent;
mod forwarding;
mod nginx;
mod plain;
mod streams;
mod town;

use crate::Result;
use crate::page::Page;
use crate::stack::Stack;
use town::Town;

/// How much is measured.
#[derive(Clone, Copy, Debug)]
pub struct Effort {
    /// Runs of each side; the median counts.
    pub runs: usize,
    /// Seconds of a run.
    pub seconds: u64,
    /// Clients at once.
    pub clients: usize,
}

pub async fn measure(stack: &Stack, page: &mut Page, effort: Effort, wants: impl Fn(&str) -> bool) -> Result {
    page.beside(&nginx::version().await?);
    let mut town = Town::start(stack).await?;
    if wants("forward") {
        forwarding::throughput(stack, page, effort).await?;
    }
    town.let_events_go();
    if wants("latency") {
        forwarding::latency(stack, page, effort).await?;
    }
    if wants("cache") {
        forwarding::cache(stack, page, effort).await?;
    }
    if wants("streams") {
        streams::measure(stack, page, effort.runs, &mut town).await?;
    }
    if wants("consent") {
        consent::measure(stack, page).await?;
    }
    town.stop().await
}

/// How it is measured.
pub const METHOD: &str = "\
# The gateway: figures

`scripts/bench gateway` writes this page. Every figure stands beside its limit, measured in the same run on the
same servers, both sides taking turns after a warm-up that does not count. The machine is shared and noisy: trust
the ratios, not the digits. Clients, gateway, services, PostgreSQL, RabbitMQ and Redis share its cores. The programs
are built like those in images.

- **forwarded**: a request to a running crm, by wrk, every layer at work: rate limit (counted in Redis, unless the
  line says otherwise), token, permission, consent, audit; beside NGINX as a plain proxy to the same crm: no log, no
  TLS, connections kept open on both sides, as many workers as the gateway has; and beside a proxy that is
  easily made of actix-web and reqwest and does nothing else. The cache is off, and crm's relay stands still.
- **forwarded to a service that does nothing**: the same to a server that answers a fixed text. Nothing but the
  proxies is at work then, which is more than they ever have to do: a real service needs most of the machine.
- **added latency**: the median of one client who asks again and again, less that of the same client who asks crm
  directly.
- **kept**: `GET /crm/leads`, 50 leads, by the cache; beside the same forwarded to crm.
- **idle streams**: `GET /events/stream` by 1,000 users of one replica that was just started: what its resident
  memory grows by, divided by 1,000; and from before the request that makes an event until the last of them has it.
- **a no in effect**: from before `POST /consent/revoke` through one replica (compliance, its outbox, RabbitMQ, the
  gateway) until a `PATCH` of that lead through another replica has been refused; 100 times, asked every 2 ms.

";
