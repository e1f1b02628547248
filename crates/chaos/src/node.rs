//! One process of the lab.

use std::collections::HashMap;
use std::fs::OpenOptions;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use bhiv_broker::crash::CRASH_AT;
use tokio::process::{Child, Command};
use tokio::time::{Instant, timeout};

use crate::Result;

/// A process that does not end in this time after SIGTERM has failed.
pub const DRAIN: Duration = Duration::from_secs(30);

/// A replica of the source or of the sink.
#[derive(Debug)]
pub struct Node {
    /// For example `source-1`.
    pub name: String,
    /// Where it listens.
    pub url: String,
    program: PathBuf,
    log: PathBuf,
    environment: HashMap<String, String>,
    child: Option<Child>,
    /// Where its own lines begin in the log.
    log_begin: usize,
}

impl Node {
    /// A process that is not started yet.
    pub fn new(
        name: String,
        program: PathBuf,
        log: PathBuf,
        port: u16,
        mut environment: HashMap<String, String>,
    ) -> Self {
        environment.insert("HTTP_ADDR".to_owned(), format!("127.0.0.1:{port}"));
        Self {
            name,
            url: format!("http://127.0.0.1:{port}"),
            program,
            log,
            environment,
            child: None,
            log_begin: 0,
        }
    }

    /// Sets a variable for the next start.
    pub fn set(&mut self, name: &str, value: &str) {
        self.environment.insert(name.to_owned(), value.to_owned());
    }

    /// Takes a variable away for the next start.
    pub fn unset(&mut self, name: &str) {
        self.environment.remove(name);
    }

    /// Starts it. It ends at that crash point, if one is named.
    pub fn start(&mut self, crash_at: Option<&str>) -> Result {
        let log = OpenOptions::new().create(true).append(true).open(&self.log)?;
        self.log_begin = usize::try_from(log.metadata()?.len())?;
        let mut command = Command::new(&self.program);
        command.arg("run").env_clear().envs(&self.environment).kill_on_drop(true);
        if let Some(path) = std::env::var_os("PATH") {
            command.env("PATH", path);
        }
        if let Some(point) = crash_at {
            command.env(CRASH_AT, point);
        }
        command.stdout(log.try_clone()?).stderr(log).stdin(Stdio::null());
        self.child = Some(command.spawn()?);
        Ok(())
    }

    /// Whether it has ended, or was never started.
    pub fn has_ended(&mut self) -> bool {
        self.child.as_mut().is_none_or(|child| !matches!(child.try_wait(), Ok(None)))
    }

    /// Waits until it has ended by itself.
    pub async fn ended(&mut self, within: Duration) -> Result<ExitStatus> {
        let child = self.child.as_mut().ok_or_else(|| format!("{} was not started", self.name))?;
        let ended = timeout(within, child.wait()).await;
        ended.map_err(|_| format!("{} has not ended within {within:?}", self.name))?.map_err(Into::into)
    }

    /// Waits until it is ready.
    pub async fn ready(&mut self) -> Result {
        let until = Instant::now() + Duration::from_mins(1);
        loop {
            if self.is_ready().await {
                return Ok(());
            }
            if self.has_ended() {
                return Err(format!(
                    "{} ended instead of becoming ready; see {}",
                    self.name,
                    self.log.display()
                )
                .into());
            }
            if Instant::now() > until {
                return Err(
                    format!("{} is not ready after a minute; see {}", self.name, self.log.display()).into()
                );
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Waits until it is the one that publishes its service's outbox.
    pub async fn leads(&self) -> Result {
        let until = Instant::now() + Duration::from_secs(30);
        while self.metric("outbox_leader", "").await.unwrap_or(0.0) < 1.0 {
            if Instant::now() > until {
                return Err(format!("{} does not lead after 30 s", self.name).into());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(())
    }

    /// Whether it says that it is ready.
    pub async fn is_ready(&self) -> bool {
        let client = reqwest::Client::builder().timeout(Duration::from_secs(2)).no_proxy().build();
        let Ok(client) = client else { return false };
        let answer = client.get(format!("{}/health/ready", self.url)).send().await;
        answer.is_ok_and(|answer| answer.status().is_success())
    }

    /// A figure of its metrics page: the sum of the lines that begin with `name` and contain `label`.
    pub async fn metric(&self, name: &str, label: &str) -> Result<f64> {
        let page = reqwest::get(format!("{}/metrics", self.url)).await?.text().await?;
        let lines = page.lines().filter(|line| {
            line.strip_prefix(name).is_some_and(|rest| rest.starts_with(['{', ' '])) && line.contains(label)
        });
        Ok(lines.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum())
    }

    /// Memory that it occupies, in bytes.
    pub fn resident(&self) -> Result<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid()?))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no VmRSS")?;
        let kilobytes: u64 = line.trim().trim_end_matches(" kB").parse()?;
        Ok(kilobytes * 1024)
    }

    /// Whether it has written that since it was started.
    pub fn says(&self, text: &str) -> bool {
        self.times(text) > 0
    }

    /// How often it has written that since it was started.
    pub fn times(&self, text: &str) -> usize {
        let log = std::fs::read_to_string(&self.log).unwrap_or_default();
        log.get(self.log_begin..).map_or(0, |log| log.matches(text).count())
    }

    /// Sends it a signal, for example `KILL`, `STOP`, `CONT`, `TERM`.
    pub async fn signal(&self, signal: &str) -> Result {
        let pid = self.pid()?.to_string();
        Command::new("kill").args(["-s", signal, &pid]).status().await?;
        Ok(())
    }

    /// Ends it as a power failure would.
    pub async fn kill(&mut self) -> Result {
        self.signal("KILL").await?;
        self.ended(Duration::from_secs(10)).await?;
        Ok(())
    }

    /// Ends it as Kubernetes would; an error if it takes too long or fails. Answers how long it took.
    pub async fn stop(&mut self) -> Result<Duration> {
        let started = Instant::now();
        self.signal("TERM").await?;
        let status = self.ended(DRAIN).await?;
        if !status.success() {
            return Err(format!("{} ended with {status}; see {}", self.name, self.log.display()).into());
        }
        Ok(started.elapsed())
    }

    fn pid(&self) -> Result<u32> {
        let pid = self.child.as_ref().and_then(Child::id);
        pid.ok_or_else(|| format!("{} is not running", self.name).into())
    }
}
