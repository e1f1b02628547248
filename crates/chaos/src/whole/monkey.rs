use std::collections::BTreeMap;
use std::fmt::{self, Display};
use std::time::Duration;

use rand::RngExt as _;
use rand::rngs::StdRng;
use tokio_util::sync::CancellationToken;

use crate::Result;
use crate::control::Servers;
use crate::node::Node;

/// What is done to the system.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Harm {
    KillService,
    EndService,
    KillBroker,
    KillDatabase,
    KillRedis,
    FlushRedis,
    StallRedis,
}

/// How often chance takes each of them.
pub(super) type Harms = &'static [(Harm, u32)];

/// Everything.
pub(super) const ALL: Harms = &[
    (Harm::KillService, 65),
    (Harm::EndService, 15),
    (Harm::KillBroker, 7),
    (Harm::KillDatabase, 7),
    (Harm::KillRedis, 6),
];

/// What only those who lean on Redis notice.
pub(super) const REDIS: Harms = &[(Harm::KillRedis, 1), (Harm::FlushRedis, 1), (Harm::StallRedis, 1)];

/// For how long Redis answers nothing.
const STALL: Duration = Duration::from_secs(5);

/// How often everything was killed.
#[derive(Debug, Default)]
pub(super) struct Kills(BTreeMap<Harm, usize>);

impl Display for Kills {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = |harm: &Harm| match harm {
            Harm::KillService => "services killed",
            Harm::EndService => "services ended",
            Harm::KillBroker => "RabbitMQ killed",
            Harm::KillDatabase => "PostgreSQL killed",
            Harm::KillRedis => "Redis killed",
            Harm::FlushRedis => "Redis emptied",
            Harm::StallRedis => "Redis stalled",
        };
        let words: Vec<_> = self.0.iter().map(|(harm, times)| format!("{} {times}", word(harm))).collect();
        f.write_str(&words.join(", "))
    }
}

/// Kills at random, one thing at a time, and starts it again.
#[derive(Debug)]
pub(super) struct Monkey {
    servers: Servers,
    chance: StdRng,
    harms: Harms,
}

impl Monkey {
    pub(super) fn new(servers: Servers, chance: StdRng, harms: Harms) -> Self {
        Self { servers, chance, harms }
    }

    /// Until `stop`; then everything is up again.
    pub(super) async fn run(
        mut self,
        mut nodes: Vec<Node>,
        stop: CancellationToken,
    ) -> Result<(Vec<Node>, Kills)> {
        let mut kills = Kills::default();
        loop {
            let pause = Duration::from_millis(self.chance.random_range(500..4_000));
            let stopped = stop.run_until_cancelled(tokio::time::sleep(pause)).await.is_none();
            let turn: usize = kills.0.values().sum();
            // Once each, before chance decides.
            let harm = match self.harms.get(turn) {
                Some((harm, _)) => *harm,
                None if stopped => break,
                None => self.choose(),
            };
            self.act(harm, &mut nodes).await?;
            *kills.0.entry(harm).or_default() += 1;
        }
        self.servers.script(&["heal"]).await?;
        Ok((nodes, kills))
    }

    fn choose(&mut self) -> Harm {
        let mut left = self.chance.random_range(0..self.harms.iter().map(|(_, often)| often).sum());
        for (harm, often) in self.harms {
            if left < *often {
                return *harm;
            }
            left -= often;
        }
        Harm::KillService
    }

    async fn act(&mut self, harm: Harm, nodes: &mut [Node]) -> Result {
        let victim = self.chance.random_range(0..nodes.len());
        let node = nodes.get_mut(victim).ok_or("no services")?;
        match harm {
            Harm::KillService => {
                node.kill().await?;
                let away = Duration::from_millis(self.chance.random_range(0..2_000));
                tokio::time::sleep(away).await;
                node.start(None)?;
            }
            Harm::EndService => {
                // Within 30 s and with success, whatever else has just been killed.
                if !node.has_ended() {
                    node.stop().await?;
                }
                node.start(None)?;
            }
            Harm::KillBroker => {
                self.servers.script(&["rabbitmq_kill"]).await?;
                self.servers.script(&["rabbitmq_up"]).await?;
            }
            Harm::KillDatabase => {
                self.servers.script(&["postgres_down", "immediate"]).await?;
                self.servers.script(&["postgres_up"]).await?;
            }
            Harm::KillRedis => {
                self.servers.script(&["redis_kill"]).await?;
                self.servers.script(&["redis_up"]).await?;
            }
            Harm::FlushRedis => {
                self.servers.script(&["redis_command", "FLUSHALL"]).await?;
            }
            Harm::StallRedis => {
                self.servers.script(&["redis_signal", "STOP"]).await?;
                tokio::time::sleep(STALL).await;
                self.servers.script(&["redis_signal", "CONT"]).await?;
            }
        }
        // A process that gives up by itself, because of what else is away, would be a fault.
        for node in nodes {
            if node.has_ended() {
                return Err(format!("{} ended by itself", node.name).into());
            }
        }
        Ok(())
    }
}
