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
enum Harm {
    KillService,
    EndService,
    KillBroker,
    KillDatabase,
    KillRedis,
}

/// Once each, before chance decides.
const EACH: [Harm; 5] =
    [Harm::KillService, Harm::KillBroker, Harm::EndService, Harm::KillDatabase, Harm::KillRedis];

/// How often everything was killed.
#[derive(Debug, Default)]
pub(super) struct Kills(BTreeMap<Harm, usize>);

impl Display for Kills {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = |harm| self.0.get(&harm).copied().unwrap_or_default();
        write!(
            f,
            "killed {} services, RabbitMQ {}, PostgreSQL {}, Redis {} times, {} services ended in good order",
            count(Harm::KillService),
            count(Harm::KillBroker),
            count(Harm::KillDatabase),
            count(Harm::KillRedis),
            count(Harm::EndService),
        )
    }
}

/// Kills at random, one thing at a time, and starts it again.
#[derive(Debug)]
pub(super) struct Monkey {
    servers: Servers,
    chance: StdRng,
}

impl Monkey {
    pub(super) fn new(servers: Servers, chance: StdRng) -> Self {
        Self { servers, chance }
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
            let harm = match EACH.get(turn) {
                Some(harm) => *harm,
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
        match self.chance.random_range(0..100) {
            0..65 => Harm::KillService,
            65..80 => Harm::EndService,
            80..87 => Harm::KillBroker,
            87..94 => Harm::KillDatabase,
            _ => Harm::KillRedis,
        }
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
