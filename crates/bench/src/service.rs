//! A service as a process of its own, on tables of its own.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use bhiv_auth::{Caller, Keys, Role, Signer};
use bhiv_clock::Clock;
use bhiv_settings::Secret;
use chrono::TimeDelta;
use tokio::process::{Child, Command as Process};
use tokio::time::timeout;

use crate::Result;
use crate::stack::Stack;

/// What a service is called: its program, its role and schema in PostgreSQL, its user in RabbitMQ.
#[derive(Clone, Copy, Debug)]
pub struct Kind {
    program: &'static str,
    role: &'static str,
    user: &'static str,
}

pub const CRM: Kind = Kind { program: "crm", role: "crm", user: "crm" };
pub const COMPLIANCE: Kind = Kind { program: "compliance", role: "compliance", user: "compliance" };
pub const LOGISTICS: Kind = Kind { program: "logistics", role: "logistics", user: "logistics" };
pub const TASK: Kind = Kind { program: "task", role: "task", user: "task" };
pub const LOGGING: Kind = Kind { program: "logging", role: "logging", user: "logging" };
pub const GATEWAY: Kind = Kind { program: "bhiv-gateway", role: "gateway", user: "core" };

impl Kind {
    /// Its program's name.
    pub fn name(self) -> &'static str {
        self.program
    }
}

/// It ends with the bench.
#[derive(Debug)]
pub struct Service {
    process: Child,
}

impl Service {
    /// Makes the schema anew, and what the service needs of the broker.
    pub async fn set_up(stack: &Stack, kind: Kind) -> Result {
        stack.sql(&format!("DROP SCHEMA IF EXISTS {} CASCADE", kind.role)).await?;
        Self::set_up_again(stack, kind).await
    }

    /// The same with the rows that are there.
    pub async fn set_up_again(stack: &Stack, kind: Kind) -> Result {
        let mut setup = Process::new(stack.programs.join(kind.program));
        setup
            .arg("setup")
            .envs(settings(stack, kind)?)
            .env("DATABASE_ADMIN_URL", stack.database_url.expose())
            .env("RABBITMQ_ADMIN_URL", stack.rabbitmq_url.expose());
        let setup = setup.output().await?;
        if !setup.status.success() {
            let said = String::from_utf8_lossy(&setup.stderr);
            return Err(format!("{} setup: {said}", kind.program).into());
        }
        Ok(())
    }

    /// Starts it at `address` with further settings, and waits until it is ready.
    pub async fn start(stack: &Stack, kind: Kind, address: &str, more: &[(&str, String)]) -> Result<Self> {
        let port = address.rsplit(':').next().unwrap_or_default();
        let log = std::fs::File::create(stack.run.join(format!("{}-{port}.log", kind.program)))?;
        let process = Process::new(stack.programs.join(kind.program))
            .arg("run")
            .envs(settings(stack, kind)?)
            .env("HTTP_ADDR", address)
            .envs(more.iter().map(|(name, value)| (*name, value.as_str())))
            .stdout(log.try_clone()?)
            .stderr(log)
            .kill_on_drop(true)
            .spawn()?;
        let until = Instant::now() + Duration::from_mins(1);
        let ready = format!("http://{address}/health/ready");
        while !reqwest::get(&ready).await.is_ok_and(|answer| answer.status().is_success()) {
            if Instant::now() > until {
                return Err(format!("{} is not ready", kind.program).into());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(Self { process })
    }

    /// Memory that it occupies, in bytes.
    pub fn resident(&self) -> Result<u64> {
        resident(&self.process.id().ok_or("the process has ended")?.to_string())
    }

    /// The most that it ever occupied, in bytes.
    pub fn peak(&self) -> Result<u64> {
        status(&self.process.id().ok_or("the process has ended")?.to_string(), "VmHWM:")
    }

    /// Asks it to end and waits until it has.
    pub async fn end(&mut self) -> Result {
        let pid = self.process.id().ok_or("the process has ended")?.to_string();
        Process::new("kill").args(["-s", "TERM", &pid]).status().await?;
        timeout(Duration::from_mins(1), self.process.wait()).await??;
        Ok(())
    }
}

fn settings(stack: &Stack, kind: Kind) -> Result<Vec<(&'static str, String)>> {
    let (_, jwks) = keys(stack)?;
    Ok(vec![
        ("DATABASE_URL", named(&stack.database_url, kind.role)?),
        ("AMQP_URL", named(&stack.amqp_url, kind.user)?),
        ("AUTH_JWKS_FILE", jwks.display().to_string()),
        ("TRACE_RATIO", "0".to_owned()),
        ("DRAIN_DELAY_MS", "0".to_owned()),
    ])
}

/// The private key and the public ones, made at first use.
pub fn keys(stack: &Stack) -> Result<(PathBuf, PathBuf)> {
    std::fs::create_dir_all(&stack.run)?;
    let (key, jwks) = (stack.run.join("key.pem"), stack.run.join("jwks.json"));
    if !key.exists() {
        Keys::generate(&key, &jwks)?;
    }
    Ok((key, jwks))
}

/// A token of a user with that role.
pub fn token(stack: &Stack, user: &str, role: Role) -> Result<String> {
    let signer = Signer::new(&keys(stack)?.0, "bhiv-gateway", "bhiv")?;
    Ok(signer.sign(user, &[role], Clock::system().now(), TimeDelta::hours(2))?)
}

/// A token of a user with that role, in that team.
pub fn team_token(stack: &Stack, user: &str, role: Role, team: &str) -> Result<String> {
    let signer = Signer::new(&keys(stack)?.0, "bhiv-gateway", "bhiv")?;
    let now = Clock::system().now();
    let mut caller = Caller::new(user, &[role], now + TimeDelta::hours(2));
    caller.team = Some(team.to_owned());
    Ok(signer.access(&caller, now)?)
}

/// Memory that a process occupies, `self` or by its id, in bytes.
pub fn resident(process: &str) -> Result<u64> {
    status(process, "VmRSS:")
}

fn status(process: &str, what: &str) -> Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix(what)).ok_or("the kernel does not say")?;
    Ok(line.trim().trim_end_matches(" kB").parse::<u64>()? * 1024)
}

/// The same place as another user.
fn named(url: &Secret, user: &str) -> Result<String> {
    let (scheme, rest) = url.expose().split_once("://").ok_or("no URL")?;
    let (_, place) = rest.split_once('@').ok_or("no user in the URL")?;
    Ok(format!("{scheme}://{user}:bench@{place}"))
}
