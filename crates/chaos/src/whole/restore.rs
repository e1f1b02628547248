//! A copy is taken under load, with queues that are not empty; then everything is destroyed, and restored from the copy.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use chrono::{DateTime, Utc};
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use serde::Deserialize;
use tokio::process::Command;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::flow::{Client, Flow};
use super::{PATIENCE, System};
use crate::Result;

/// Clients at once.
const CLIENTS: usize = 6;

/// Flows before the copy is taken.
const BEFORE: usize = 10;

/// What a copy says about itself.
#[derive(Debug, Deserialize)]
struct Summary {
    complete_until: DateTime<Utc>,
    messages: usize,
}

impl System {
    /// Everything that was accepted before the copy is there afterwards, with all its effects. Answers what the table shows.
    pub async fn restored(mut self, seed: u64) -> Result<String> {
        self.checker.give_up_a_message().await?;
        // Its queues fill: what it has not heard yet is in no database.
        for node in self.nodes.iter_mut().filter(|node| node.name.starts_with("logging-")) {
            node.stop().await?;
        }
        let (stop, begun) = (CancellationToken::new(), Arc::new(AtomicUsize::new(0)));
        let clients = self.until(&stop, &begun, seed)?;
        let until = Instant::now() + PATIENCE;
        while begun.load(Relaxed) < BEFORE {
            if Instant::now() > until {
                return Err("the flows do not get on".into());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }

        let (copy, keys) = (self.servers.run.join("copy"), self.servers.run.join("copy-keys"));
        for folder in [&copy, &keys] {
            if folder.exists() {
                fs::remove_dir_all(folder)?;
            }
        }
        let [copy, keys] = [copy, keys].map(|folder| folder.display().to_string());
        let began = Instant::now();
        self.tool("backup", &[&copy, "--keys", &keys]).await?;
        let copying = began.elapsed();
        stop.cancel();
        let mut flows = Vec::new();
        for done in clients.join_all().await {
            flows.extend(done?);
        }
        for node in &mut self.nodes {
            if !node.has_ended() {
                node.kill().await?;
            }
        }
        self.servers.script(&["destroy_everything"]).await?;

        let began = Instant::now();
        self.tool("restore", &[&copy, "--keys", &keys]).await?;
        let restoring = began.elapsed();
        for node in &mut self.nodes {
            node.start(None)?;
        }
        for node in &mut self.nodes {
            node.ready().await?;
        }
        let started = Instant::now();
        while let Some(pending) = self.checker.pending().await? {
            if started.elapsed() > PATIENCE {
                return Err(format!("{PATIENCE:?} after everything was restored: {pending}").into());
            }
            tokio::time::sleep(Duration::from_millis(250)).await;
        }
        let summary: Summary = serde_json::from_str(&fs::read_to_string(format!("{copy}/backup.json"))?)?;
        let events = self.checker.logged().await?;
        let accepted = self.known(&flows, summary.complete_until, seed).await?;
        if summary.messages < 2 {
            return Err("no queue had anything when the copy was taken".into());
        }
        let letters = self.servers.left_in("bhiv", "crm.dlq").await?;
        if letters != 1 {
            return Err(format!("{letters} dead letters instead of 1").into());
        }
        for node in &mut self.nodes {
            node.stop().await?;
        }
        Ok(format!(
            "copied in {copying:.1?} under load, with {} messages in queues; restored in {restoring:.1?}: all {accepted} \
             requests that were answered before are known, and {events} events have all their effects",
            summary.messages
        ))
    }

    /// Runs flows one after another until `stop`, and each to its end.
    fn until(
        &self,
        stop: &CancellationToken,
        begun: &Arc<AtomicUsize>,
        seed: u64,
    ) -> Result<JoinSet<Result<Vec<Flow>>>> {
        let mut tasks = JoinSet::new();
        for number in 0..CLIENTS {
            let chance = StdRng::seed_from_u64(seed.wrapping_add(number as u64));
            let mut client = Client::new(self.gateways.clone(), self.token.clone(), chance)?;
            let (stop, begun) = (stop.clone(), Arc::clone(begun));
            tasks.spawn(async move {
                let mut done = Vec::new();
                while !stop.is_cancelled() {
                    done.push(client.flow().await?);
                    begun.fetch_add(1, Relaxed);
                }
                Ok(done)
            });
        }
        Ok(tasks)
    }

    /// Each request that was answered before `until` is answered as before, by an answer that was kept in the transaction
    /// of its effect. Answers how many those are.
    async fn known(&self, flows: &[Flow], until: DateTime<Utc>, seed: u64) -> Result<usize> {
        let mut client = Client::new(self.gateways.clone(), self.token.clone(), StdRng::seed_from_u64(seed))?;
        let mut count = 0;
        let requests = flows.iter().flat_map(|flow| &flow.requests);
        for request in requests.filter(|request| request.answered < until) {
            client.repeat(request).await?;
            count += 1;
        }
        if count == 0 {
            return Err("nothing was accepted before the copy".into());
        }
        Ok(count)
    }

    async fn tool(&self, name: &str, words: &[&str]) -> Result {
        let mut command = Command::new(self.servers.root.join("scripts").join(name));
        let output = command.args(words).output().await?;
        if output.status.success() {
            return Ok(());
        }
        Err(format!("scripts/{name} failed: {}", String::from_utf8_lossy(&output.stderr)).into())
    }
}
