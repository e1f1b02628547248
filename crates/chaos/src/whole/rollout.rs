//! Every process is replaced by a new one, as a rollout does it, while clients work; and not one of them may notice.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use reqwest::Certificate;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::balancer::Balancer;
use super::check::Checker;
use super::flow::{Client, Flow};
use super::stream::{Follower, Seen};
use super::{PATIENCE, SERVICES, STRIDE, administrator, environment};
use crate::control::Servers;
use crate::node::Node;
use crate::{Fault, Result};

/// Clients that go through the flow, and clients that read.
const WRITERS: usize = 2;
const READERS: usize = 1;

/// Followers of the live stream: NGINX gives each gateway one.
const FOLLOWERS: usize = 3;

/// What they follow.
const FOLLOWED: [(&str, &str); 2] =
    [("lead_created", "crm.lead.created.v1"), ("feedback_received", "task.feedback.received.v1")];

/// What is read: something of every service.
const READ: [&str; 8] = [
    "/crm/leads?limit=1",
    "/logistics/orders?limit=1",
    "/task/tasks?limit=1",
    "/compliance/checks?limit=1",
    "/rl/decisions?limit=1",
    "/logs?limit=1",
    "/event/events?limit=1",
    "/bhiv/dashboard",
];

/// So long after a replica was told to end, new connections still come to it. Kubernetes tells the replica and those who
/// balance at the same time, and the latter take their time.
const NEWS: Duration = Duration::from_secs(1);

/// A service with its replicas behind one address.
#[derive(Debug)]
struct Module {
    balancer: Balancer,
    running: Vec<Node>,
    /// Where the next one goes.
    spare: Node,
}

/// Everything that runs.
#[derive(Debug)]
pub struct Rollout {
    modules: Vec<Module>,
    gateways: Vec<Node>,
    front: String,
    http: reqwest::Client,
    token: String,
    checker: Checker,
}

/// What one client did.
#[derive(Debug, Default)]
struct Work {
    flows: Vec<Flow>,
    requests: usize,
    slowest: Duration,
    failed: Option<Fault>,
}

impl Rollout {
    /// Two replicas of each module, three gateways, and NGINX in front of them.
    pub async fn begin(servers: &Servers) -> Result<Self> {
        servers.script(&["system_fresh"]).await?;
        let checker = Checker::new(servers).await?;
        let (mut modules, mut gateways) = (Vec::new(), Vec::new());
        let mut addresses = Vec::new();
        for (service, place) in SERVICES {
            let mut nodes = Vec::new();
            for replica in 0..3 {
                let name = format!("{service}-{}", replica + 1);
                let log = servers.run.join(format!("{name}.log"));
                let mut settings = environment(servers, service, replica)?;
                // As it ships.
                settings.remove("DRAIN_DELAY_MS");
                settings.extend(addresses.iter().cloned());
                let port = servers.http_base + place + replica * STRIDE;
                nodes.push(Node::new(name, servers.programs.join(service), log, port, settings));
            }
            if service == "bhiv-gateway" {
                gateways = nodes;
            } else {
                let balancer = Balancer::new().await?;
                addresses.push((format!("{}_URL", service.to_uppercase()), balancer.url.clone()));
                let spare = nodes.pop().ok_or("no replica")?;
                modules.push(Module { balancer, running: nodes, spare });
            }
        }
        for module in &mut modules {
            for node in &mut module.running {
                node.start(None)?;
            }
        }
        for module in &mut modules {
            for node in &mut module.running {
                node.ready().await?;
                module.balancer.add(address(node)?);
            }
        }
        let mut words = vec!["front_up".to_owned()];
        for node in &mut gateways {
            node.start(None)?;
            words.push(address(node)?.port().to_string());
        }
        for node in &mut gateways {
            node.ready().await?;
        }
        servers.script(&words.iter().map(String::as_str).collect::<Vec<_>>()).await?;
        let front = servers.script(&["front_url"]).await?.trim().to_owned();
        let certificate = servers.script(&["front_certificate"]).await?;
        let http = reqwest::Client::builder()
            .timeout(Duration::from_mins(5))
            .no_proxy()
            .tls_certs_only([Certificate::from_pem(certificate.as_bytes())?])
            .build()?;
        let token = administrator(servers, "chaos")?;
        Ok(Self { modules, gateways, front, http, token, checker })
    }

    /// Replaces every process under load; answers what the table shows.
    pub async fn unnoticed(mut self, seed: u64) -> Result<String> {
        let (stop, unfollow) = (CancellationToken::new(), CancellationToken::new());
        let (followers, counts) = self.followers(&unfollow).await?;
        let clients = self.clients(seed, &stop);
        let began = Instant::now();
        let replaced = self.replace_all().await;
        let took = began.elapsed();
        stop.cancel();
        let work = clients.join_all().await;
        // First what clients saw: why a process was not replaced is often the same, and says less.
        let done = sum(work)?;
        let replaced = replaced?;

        let settled = Instant::now();
        while let Some(pending) = self.checker.pending().await? {
            if settled.elapsed() > PATIENCE {
                return Err(format!("{PATIENCE:?} after the last request: {pending}").into());
            }
            tokio::time::sleep(Duration::from_millis(250)).await;
        }
        let events = self.checker.verify(&done.flows).await?;
        let streams = self.followed(followers, &counts, &unfollow).await?;
        for node in self.modules.iter_mut().flat_map(|module| &mut module.running).chain(&mut self.gateways) {
            node.signal("TERM").await?;
        }
        for node in self.modules.iter_mut().flat_map(|module| &mut module.running).chain(&mut self.gateways) {
            node.ended(crate::node::DRAIN).await?;
        }
        Ok(format!(
            "{replaced} processes replaced in {:.0} s; {} requests, all answered with success, the slowest in {:.1?}; \
             {} flows, {events} events; {FOLLOWERS} followers, {streams} streams, nothing missed",
            took.as_secs_f64(),
            done.requests,
            done.slowest,
            done.flows.len(),
        ))
    }

    async fn replace_all(&mut self) -> Result<usize> {
        let mut replaced = 0;
        for module in &mut self.modules {
            // All replicas, as a Deployment with maxSurge 1 and maxUnavailable 0 does it.
            for turn in 0..module.running.len() {
                module.replace(turn).await?;
                replaced += 1;
            }
        }
        // Behind a list of addresses, as in NGINX's file, a gateway comes back where it was.
        for gateway in &mut self.gateways {
            gateway.stop().await?;
            gateway.start(None)?;
            gateway.ready().await?;
            // Until NGINX has noticed: were the next one replaced before, there could be nobody left for a moment.
            let until = Instant::now() + Duration::from_secs(30);
            while gateway.metric("gateway_module_attempts_total", "").await? < 1.0 {
                if Instant::now() > until {
                    return Err(format!("NGINX sends nothing to {}", gateway.name).into());
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            replaced += 1;
        }
        Ok(replaced)
    }

    fn clients(&self, seed: u64, stop: &CancellationToken) -> JoinSet<Work> {
        let mut tasks = JoinSet::new();
        let kinds = (0..WRITERS).map(|_| true).chain((0..READERS).map(|_| false));
        for (number, writes) in (0..).zip(kinds) {
            let mut chance = StdRng::seed_from_u64(seed.wrapping_add(number));
            let mut client = Client::strict(
                self.http.clone(),
                self.front.clone(),
                self.token.clone(),
                StdRng::seed_from_u64(chance.random()),
            );
            let stop = stop.clone();
            tasks.spawn(async move {
                let mut work = Work::default();
                while !stop.is_cancelled() {
                    let result = if writes {
                        client.flow().await.map(|flow| work.flows.push(flow))
                    } else {
                        read(&mut client, chance.random_range(0..READ.len())).await
                    };
                    if let Err(fault) = result {
                        work.failed = Some(fault);
                        break;
                    }
                    tokio::time::sleep(Duration::from_millis(chance.random_range(100..300))).await;
                }
                (work.requests, work.slowest) = (client.sent, client.slowest);
                work
            });
        }
        tasks
    }

    async fn followers(
        &self,
        stop: &CancellationToken,
    ) -> Result<(JoinSet<Result<Seen>>, Vec<Arc<AtomicUsize>>)> {
        let (mut tasks, mut counts) = (JoinSet::new(), Vec::new());
        let types: Vec<_> = FOLLOWED.iter().map(|(name, _)| *name).collect();
        for _ in 0..FOLLOWERS {
            let (begun, seen) = (CancellationToken::new(), Arc::new(AtomicUsize::new(0)));
            let follower = Follower {
                http: self.http.clone(),
                url: format!("{}/events/stream?types={}", self.front, types.join(",")),
                token: self.token.clone(),
                seen: Arc::clone(&seen),
            };
            tasks.spawn(follower.follow(begun.clone(), stop.clone()));
            tokio::select! {
                () = begun.cancelled() => {}
                ended = tasks.join_next() => match ended {
                    Some(Ok(Err(fault))) => return Err(fault),
                    _ => return Err("a stream ended before it had begun".into()),
                },
                () = tokio::time::sleep(Duration::from_secs(15)) => {
                    return Err("a stream was not answered in 15 s".into());
                }
            }
            counts.push(seen);
        }
        Ok((tasks, counts))
    }

    /// Each of them saw every event once. Answers how many streams that took.
    async fn followed(
        &self,
        mut followers: JoinSet<Result<Seen>>,
        counts: &[Arc<AtomicUsize>],
        stop: &CancellationToken,
    ) -> Result<usize> {
        let keys: Vec<_> = FOLLOWED.iter().map(|(_, key)| *key).collect();
        let published = self.checker.of_kinds(&keys).await?;
        let until = Instant::now() + Duration::from_secs(15);
        while counts.iter().any(|seen| seen.load(Relaxed) < published.len()) && Instant::now() < until {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        stop.cancel();
        let mut streams = 0;
        while let Some(seen) = followers.join_next().await {
            let seen = seen??;
            let missed = published.difference(&seen.events).count();
            if missed > 0 || seen.events.len() != published.len() {
                let shown = seen.events.len();
                return Err(format!("a follower saw {shown} of {} events", published.len()).into());
            }
            streams += seen.streams;
        }
        if streams <= FOLLOWERS {
            return Err("no stream was ever resumed".into());
        }
        Ok(streams)
    }
}

impl Module {
    /// Starts a new replica, and ends that one when the new one is ready.
    async fn replace(&mut self, turn: usize) -> Result {
        self.spare.start(None)?;
        self.spare.ready().await?;
        self.balancer.add(address(&self.spare)?);
        let old = self.running.get_mut(turn).ok_or("no such replica")?;
        std::mem::swap(old, &mut self.spare);
        let address = address(&self.spare)?;
        let old = &mut self.spare;
        let unlisted = async {
            tokio::time::sleep(NEWS).await;
            self.balancer.remove(address);
            Ok(())
        };
        tokio::try_join!(unlisted, async { old.stop().await.map(drop) })?;
        Ok(())
    }
}

async fn read(client: &mut Client, which: usize) -> Result {
    let path = READ.get(which).ok_or("nothing to read")?;
    let answer = client.read(path).await?;
    // How soon a part comes depends on the machine; that it comes, on who is replaced.
    let parts = answer.get("partial").and_then(|partial| partial.as_array()).into_iter().flatten();
    let mut missing = parts.filter(|part| part.get("reason").is_none_or(|reason| reason != "timeout"));
    match missing.next() {
        Some(part) => Err(format!("{path} lacks {part}").into()),
        None => Ok(()),
    }
}

fn sum(work: Vec<Work>) -> Result<Work> {
    let (mut done, mut faults) = (Work::default(), Vec::new());
    for part in work {
        done.flows.extend(part.flows);
        done.requests += part.requests;
        done.slowest = done.slowest.max(part.slowest);
        faults.extend(part.failed.map(|fault| fault.to_string()));
    }
    if !faults.is_empty() {
        return Err(
            format!("{} of {} requests failed: {}", faults.len(), done.requests, faults.join("; ")).into()
        );
    }
    Ok(done)
}

fn address(node: &Node) -> Result<SocketAddr> {
    Ok(node.url.trim_start_matches("http://").parse()?)
}
