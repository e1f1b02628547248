//! `scripts/bench`: figures, each beside its limit in the same run. These machines are noisy: trust the ratios.

mod gateway;
mod http;
mod inbox;
mod latency;
mod lists;
mod logging;
mod page;
mod relay;
mod rl;
mod service;
mod share;
mod stack;
mod wrk;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::gateway::Effort;
use crate::page::Page;
use crate::stack::Stack;

/// Whatever went wrong, in words.
type Failure = Box<dyn std::error::Error + Send + Sync>;
type Result<T = ()> = std::result::Result<T, Failure>;

#[derive(Debug, Parser)]
#[command(name = "scripts/bench", version)]
struct CommandLine {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Writes over HTTP, relay, inbox, latency, backlog.
    Messaging {
        /// Only these: http, share, relay, inbox, latency, backlog.
        only: Vec<String>,
        /// Runs of each side of a comparison; the median counts.
        #[arg(long, default_value_t = 5)]
        runs: usize,
        /// Seconds of one run over HTTP.
        #[arg(long, default_value_t = 5)]
        seconds: u64,
        /// Clients at once, over HTTP and of pgbench.
        #[arg(long, default_value_t = 32)]
        clients: usize,
        #[command(flatten)]
        stack: Stack,
    },
    /// The gateway beside NGINX; its cache, its streams, and how soon a person's no is in effect.
    Gateway {
        /// Only these: forward, latency, cache, streams, consent.
        only: Vec<String>,
        /// Runs of each side of a comparison; the median counts.
        #[arg(long, default_value_t = 5)]
        runs: usize,
        /// Seconds of one run.
        #[arg(long, default_value_t = 5)]
        seconds: u64,
        /// Clients at once.
        #[arg(long, default_value_t = 32)]
        clients: usize,
        #[command(flatten)]
        stack: Stack,
    },
    /// Every list and search of crm, logistics and task, over large tables.
    Lists {
        /// Only these: crm, logistics, task.
        only: Vec<String>,
        /// How often each is asked.
        #[arg(long, default_value_t = 60)]
        asked: usize,
        #[command(flatten)]
        stack: Stack,
    },
    /// The memory of the system: taking in, and answering from many rows.
    Logging {
        /// Only these: ingest, search.
        only: Vec<String>,
        /// Runs of each side of a comparison; the median counts.
        #[arg(long, default_value_t = 3)]
        runs: usize,
        /// Rows that are searched; 0 are those of the run before, for filling in takes most of the time.
        #[arg(long, default_value_t = 10_000_000)]
        rows: u64,
        /// How often each is asked.
        #[arg(long, default_value_t = 60)]
        asked: usize,
        #[command(flatten)]
        stack: Stack,
    },
    /// Learning beside Vowpal Wabbit: losses, and decisions per second.
    Rl {
        /// Orders of each set; the mean counts.
        #[arg(long, default_value_t = 5)]
        shuffles: u64,
        /// Runs of each side of the comparison of speed; the median counts.
        #[arg(long, default_value_t = 5)]
        runs: usize,
        #[command(flatten)]
        sources: rl::Sources,
    },
}

#[tokio::main]
async fn main() -> ExitCode {
    let outcome = match CommandLine::parse().what {
        What::Messaging { only, runs, seconds, clients, stack } => {
            messaging(&stack, &only, Effort { runs, seconds, clients }).await
        }
        What::Gateway { only, runs, seconds, clients, stack } => {
            gateway(&stack, &only, Effort { runs, seconds, clients }).await
        }
        What::Lists { only, asked, stack } => lists(&stack, &only, asked).await,
        What::Logging { only, runs, rows, asked, stack } => logging(&stack, &only, runs, rows, asked).await,
        What::Rl { shuffles, runs, sources } => rl(&sources, shuffles, runs),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("bench: {error}"));
            ExitCode::FAILURE
        }
    }
}

async fn messaging(stack: &Stack, only: &[String], effort: Effort) -> Result {
    let wants = |name: &str| only.is_empty() || only.iter().any(|wanted| wanted == name);
    let Effort { runs, seconds, clients } = effort;
    let mut page = Page::new(page::MESSAGING, runs, stack).await?;
    if wants("http") {
        http::measure(stack, &mut page, runs, seconds, clients).await?;
    }
    if wants("share") {
        http::share(stack, &mut page, runs, seconds, clients).await?;
    }
    if wants("relay") {
        relay::throughput(stack, &mut page, runs).await?;
    }
    if wants("inbox") {
        inbox::measure(stack, &mut page, runs).await?;
    }
    if wants("latency") {
        latency::measure(stack, &mut page).await?;
    }
    if wants("backlog") {
        relay::backlog(stack, &mut page).await?;
    }
    page.finish(only.is_empty())
}

async fn gateway(stack: &Stack, only: &[String], effort: Effort) -> Result {
    let wants = |name: &str| only.is_empty() || only.iter().any(|wanted| wanted == name);
    let mut page = Page::new(gateway::METHOD, effort.runs, stack).await?;
    gateway::measure(stack, &mut page, effort, wants).await?;
    page.finish(only.is_empty())
}

async fn lists(stack: &Stack, only: &[String], asked: usize) -> Result {
    let wants = |name: &str| only.is_empty() || only.iter().any(|wanted| wanted == name);
    let mut page = Page::new(lists::METHOD, 1, stack).await?;
    lists::measure(stack, &mut page, asked, wants).await?;
    page.finish(only.is_empty())
}

async fn logging(stack: &Stack, only: &[String], runs: usize, rows: u64, asked: usize) -> Result {
    let wants = |name: &str| only.is_empty() || only.iter().any(|wanted| wanted == name);
    let mut page = Page::new(logging::METHOD, runs, stack).await?;
    logging::measure(stack, &mut page, runs, rows, asked, wants).await?;
    page.finish(only.is_empty())
}

fn rl(sources: &rl::Sources, shuffles: u64, runs: usize) -> Result {
    let mut page = Page::alone(rl::METHOD, runs, sources.page.clone());
    rl::measure(sources, &mut page, shuffles, runs)?;
    page.finish(true)
}

/// Progress, for whoever looks on.
#[expect(clippy::print_stderr, reason = "progress is for whoever looks on")]
fn say(line: &str) {
    eprintln!("{line}");
}
