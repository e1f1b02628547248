//! The real system, two replicas of each service, while everything it stands on is killed at random.

mod balancer;
mod check;
mod flow;
mod monkey;
mod reads;
mod restore;
mod rollout;
mod stream;

pub use reads::Reads;
pub use rollout::Rollout;

use std::collections::HashMap;
use std::fs;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use bhiv_auth::{Role, Signer};
use bhiv_clock::Clock;
use chrono::TimeDelta;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::Result;
use crate::control::Servers;
use crate::node::Node;
use check::Checker;
use flow::{Client, Flow};
use monkey::{Harms, Monkey};

/// The services, and where each listens above the first port of the stack's services.
const SERVICES: [(&str, u16); 7] = [
    ("crm", 11),
    ("logistics", 12),
    ("task", 13),
    ("compliance", 14),
    ("rl", 15),
    ("logging", 16),
    ("bhiv-gateway", 5),
];

/// Ports between a replica and the next one.
const STRIDE: u16 = 20;

/// Clients at once.
const CLIENTS: usize = 16;

/// Requests that are sent once more at the end.
const REPEATED: usize = 200;

/// How long what was accepted may take to have all its effects, from when everything is up again.
const PATIENCE: Duration = Duration::from_mins(5);

/// Everything that runs.
#[derive(Debug)]
pub struct System {
    servers: Servers,
    nodes: Vec<Node>,
    gateways: Vec<String>,
    token: String,
    checker: Checker,
}

impl System {
    /// Begins with an empty database and an empty virtual host.
    pub async fn begin(servers: &Servers) -> Result<Self> {
        servers.script(&["system_fresh"]).await?;
        let checker = Checker::new(servers).await?;
        let (mut nodes, mut gateways) = (Vec::new(), Vec::new());
        for replica in 0..2 {
            for (service, place) in SERVICES {
                let port = servers.http_base + place + replica * STRIDE;
                let name = format!("{service}-{}", replica + 1);
                let environment = environment(servers, service, replica)?;
                let log = servers.run.join(format!("{name}.log"));
                let mut node = Node::new(name, servers.programs.join(service), log, port, environment);
                if service == "bhiv-gateway" {
                    gateways.push(node.url.clone());
                }
                node.start(None)?;
                nodes.push(node);
            }
        }
        for node in &mut nodes {
            node.ready().await?;
        }
        let token = administrator(servers, "chaos")?;
        Ok(Self { servers: servers.clone(), nodes, gateways, token, checker })
    }

    /// Runs the flows while everything is killed at random; answers what the table shows.
    pub async fn survive(self, flows: usize, seed: u64) -> Result<String> {
        self.survive_harms(flows, seed, monkey::ALL).await
    }

    /// The same while Redis is killed, emptied and stalled.
    pub async fn survive_without_redis(self, flows: usize, seed: u64) -> Result<String> {
        self.survive_harms(flows, seed, monkey::REDIS).await
    }

    async fn survive_harms(mut self, flows: usize, seed: u64, harms: Harms) -> Result<String> {
        let stop = CancellationToken::new();
        let monkey = Monkey::new(self.servers.clone(), StdRng::seed_from_u64(seed), harms);
        let began = Instant::now();
        let monkey = tokio::spawn(monkey.run(std::mem::take(&mut self.nodes), stop.clone()));
        let done = self.clients(flows, seed).await;
        let took = began.elapsed();
        stop.cancel();
        // It ends with everything up again.
        let (mut nodes, kills) = monkey.await??;
        let done = done?;
        for node in &mut nodes {
            node.ready().await?;
        }
        let healed = Instant::now();
        loop {
            let pending = self.checker.pending().await?;
            let Some(pending) = pending else { break };
            if healed.elapsed() > PATIENCE {
                return Err(format!("{PATIENCE:?} after everything was up again: {pending}").into());
            }
            tokio::time::sleep(Duration::from_millis(250)).await;
        }
        let settled = healed.elapsed();
        let events = self.checker.verify(&done).await?;
        let repeated = self.repeat(&done, seed).await?;
        self.checker.unchanged(events).await?;
        for node in &mut nodes {
            node.stop().await?;
        }
        Ok(format!(
            "{} flows in {:.0} s, {kills}; {events} events, settled in {settled:.1?}, \
             {repeated} requests repeated without effect",
            done.len(),
            took.as_secs_f64()
        ))
    }

    /// Runs all flows to their end.
    async fn clients(&self, flows: usize, seed: u64) -> Result<Vec<Flow>> {
        let left = Arc::new(AtomicUsize::new(flows));
        let (progress, mut news) = mpsc::unbounded_channel();
        let mut tasks = JoinSet::new();
        for number in 0..CLIENTS {
            let chance = StdRng::seed_from_u64(seed.wrapping_add(1 + number as u64));
            let mut client = Client::new(self.gateways.clone(), self.token.clone(), chance)?;
            let (left, progress) = (Arc::clone(&left), progress.clone());
            tasks.spawn(async move {
                let mut done = Vec::new();
                while left.fetch_update(Relaxed, Relaxed, |left| left.checked_sub(1)).is_ok() {
                    done.push(client.flow().await?);
                    let _ = progress.send(());
                }
                Ok::<_, crate::Fault>(done)
            });
        }
        drop(progress);
        let telling = tokio::spawn(async move {
            let mut count = 0;
            while news.recv().await.is_some() {
                count += 1;
                if count % 100 == 0 {
                    crate::run::say(&format!("          {count} of {flows} flows"));
                }
            }
        });
        let mut all = Vec::new();
        while let Some(done) = tasks.join_next().await {
            all.extend(done??);
        }
        telling.await?;
        Ok(all)
    }

    /// Sends some of the requests once more: each is answered as before.
    async fn repeat(&self, flows: &[Flow], seed: u64) -> Result<usize> {
        let mut chance = StdRng::seed_from_u64(seed);
        let mut client = Client::new(self.gateways.clone(), self.token.clone(), StdRng::seed_from_u64(seed))?;
        let requests: Vec<_> = flows.iter().flat_map(|flow| &flow.requests).collect();
        for _ in 0..REPEATED {
            let request = requests.get(chance.random_range(0..requests.len())).ok_or("no request")?;
            client.repeat(request).await?;
        }
        Ok(REPEATED)
    }
}

/// A token that may do everything.
fn administrator(servers: &Servers, name: &str) -> Result<String> {
    let signer = Signer::new(&servers.run.join("keys/signing-key.pem"), "bhiv-gateway", "bhiv")?;
    Ok(signer.sign(name, &[Role::Admin], Clock::system().now(), TimeDelta::hours(6))?)
}

/// What `scripts/up` gives a service; the second replica of the gateway goes to the second ones of the others.
fn environment(servers: &Servers, service: &str, replica: u16) -> Result<HashMap<String, String>> {
    let file = servers.run.join(format!("env/{service}.env"));
    let lines = fs::read_to_string(&file)?;
    let mut environment: HashMap<String, String> = lines
        .lines()
        .filter_map(|line| line.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    for (module, place) in SERVICES {
        let name = format!("{}_URL", module.to_uppercase());
        if let Some(url) = environment.get_mut(&name) {
            *url = format!("http://127.0.0.1:{}", servers.http_base + place + replica * STRIDE);
        }
    }
    environment.insert("TRACE_RATIO".to_owned(), "0".to_owned());
    Ok(environment)
}
