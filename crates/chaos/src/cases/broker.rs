//! A broker that dies, hangs, refuses or forgets.

use std::time::Duration;

use rand::RngExt as _;
use reqwest::Method;
use serde_json::json;
use tokio::time::{Instant, sleep};

use super::Verdict;
use crate::Result;
use crate::arena::{Arena, Role};
use crate::control::VHOST;
use crate::load::{Load, Plan};
use crate::node::Node;

/// Clients that write for some seconds.
fn steady() -> Plan {
    Plan { requests: 1_500, pause: Duration::from_millis(10), ..Plan::default() }
}

async fn begin(arena: &mut Arena, plan: &Plan) -> Result<Load> {
    arena.begin().await?;
    let mut load = arena.clients(plan)?;
    load.reached(plan.requests / 10).await;
    Ok(load)
}

/// Ends with what was measured since the fault was healed.
async fn end(arena: &mut Arena, load: Load, healed: Instant) -> Result<Verdict> {
    arena.published().await?;
    let published = healed.elapsed();
    arena.finish(load).await?;
    let detail = arena.end().await?;
    Ok(Verdict::Holds(format!("{detail}; nothing waits {published:.1?} after the fault")))
}

pub(super) async fn killed(arena: &mut Arena) -> Result<Verdict> {
    arena.begin().await?;
    // In production its queues are older than a second.
    arena.servers.script(&["rabbitmq_settle"]).await?;
    let mut load = arena.clients(&steady())?;
    load.reached(150).await;
    arena.servers.script(&["rabbitmq_kill"]).await?;
    arena.servers.script(&["rabbitmq_up"]).await?;
    end(arena, load, Instant::now()).await
}

pub(super) async fn restarted(arena: &mut Arena) -> Result<Verdict> {
    let load = begin(arena, &steady()).await?;
    arena.servers.script(&["rabbitmq_stop"]).await?;
    arena.servers.script(&["rabbitmq_up"]).await?;
    end(arena, load, Instant::now()).await
}

pub(super) async fn connections_closed(arena: &mut Arena) -> Result<Verdict> {
    let mut load = begin(arena, &steady()).await?;
    for round in 1..=10 {
        arena.close_connections().await?;
        load.reached(150 + round * 100).await;
    }
    // At the beginning, and again after most of the times.
    let connected = |node: &Node| node.times("connected to RabbitMQ");
    let nodes = || arena.sources.iter().chain(&arena.sinks);
    if let Some(node) = nodes().find(|node| connected(node) < 5) {
        return Err(format!("{} has connected {} times only", node.name, connected(node)).into());
    }
    let times: usize = nodes().map(connected).sum();
    let Verdict::Holds(detail) = end(arena, load, Instant::now()).await? else {
        return Err("not run".into());
    };
    Ok(Verdict::Holds(format!("{detail}; connected {times} times")))
}

pub(super) async fn frozen(arena: &mut Arena) -> Result<Verdict> {
    let load = begin(arena, &steady()).await?;
    arena.servers.script(&["rabbitmq_signal", "STOP"]).await?;
    // Longer than two heartbeats, so that it is noticed.
    let noticed = Instant::now();
    while arena.sources.iter().any(|node| !node.says("waiting for RabbitMQ")) {
        if noticed.elapsed() > Duration::from_mins(1) {
            return Err("nobody noticed within a minute".into());
        }
        sleep(Duration::from_millis(100)).await;
    }
    let noticed = noticed.elapsed();
    arena.servers.script(&["rabbitmq_signal", "CONT"]).await?;
    let Verdict::Holds(detail) = end(arena, load, Instant::now()).await? else {
        return Err("not run".into());
    };
    Ok(Verdict::Holds(format!("{detail}; noticed after {noticed:.1?}")))
}

pub(super) async fn alarm(arena: &mut Arena) -> Result<Verdict> {
    let mut load = begin(arena, &steady()).await?;
    arena.servers.script(&["rabbitmqctl_here", "set_disk_free_limit", "900GB"]).await?;
    // Clients do not notice, and what was published before is handled.
    let accepted = load.accepted();
    load.reached((accepted + 500).min(1_500)).await;
    arena.until(Role::Source, "SELECT count(*) > 100 AS holds FROM outbox").await?;
    arena.servers.script(&["rabbitmqctl_here", "set_disk_free_limit", "200MB"]).await?;
    end(arena, load, Instant::now()).await
}

pub(super) async fn queue_full(arena: &mut Arena) -> Result<Verdict> {
    arena.begin().await?;
    for node in &mut arena.sinks {
        node.stop().await?;
    }
    // The same policy as ever, and five messages at most.
    let policy = json!({
        "delivery-limit": 20, "dead-letter-exchange": "bhiv.dlx", "dead-letter-routing-key": "task.limit",
        "dead-letter-strategy": "at-least-once", "overflow": "reject-publish", "max-length": 5,
    });
    arena.policy("full", "^task\\.q\\.", policy).await?;
    let load = arena.clients(&Plan { requests: 200, ..Plan::default() })?;
    arena.finish(load).await?;
    arena.until(Role::Source, "SELECT count(*) > 100 AS holds FROM outbox_parked").await?;
    arena.servers.rabbitmq(Method::DELETE, &format!("policies/{VHOST}/full"), None).await?;
    for node in &mut arena.sinks {
        node.start(None)?;
    }
    arena.hurry(Role::Source).await?;
    arena.patience = Duration::from_mins(3);
    let healed = Instant::now();
    arena.until(Role::Source, "SELECT NOT EXISTS (SELECT FROM outbox_parked) AS holds").await?;
    let detail = arena.end().await?;
    Ok(Verdict::Holds(format!("{detail}; unparked in {:.1?}", healed.elapsed())))
}

pub(super) async fn unroutable(arena: &mut Arena) -> Result<Verdict> {
    let load = begin(arena, &steady()).await?;
    let binding = format!("bindings/{VHOST}/e/bhiv.crm/q/task.q.crm/crm.lab.changed.v1");
    arena.servers.rabbitmq(Method::DELETE, &binding, None).await?;
    arena.until(Role::Source, "SELECT count(*) > 20 AS holds FROM outbox_parked").await?;
    // What an operator would do: set the consumer up again.
    arena.setup(Role::Sink).await?;
    let healed = Instant::now();
    arena.patience = Duration::from_mins(3);
    arena.finish(load).await?;
    arena.hurry(Role::Source).await?;
    arena.until(Role::Source, "SELECT NOT EXISTS (SELECT FROM outbox_parked) AS holds").await?;
    let detail = arena.end().await?;
    Ok(Verdict::Holds(format!("{detail}; unparked in {:.1?}", healed.elapsed())))
}

pub(super) async fn poison(arena: &mut Arena) -> Result<Verdict> {
    let mut load = begin(arena, &steady()).await?;
    for (round, (exchange, key)) in [
        ("nowhere", "crm.lab.changed.v1"),
        ("bhiv.task", "task.lab.done.v1"),
        ("bhiv.crm", "task.lab.done.v1"),
    ]
    .into_iter()
    .enumerate()
    {
        // An exchange that is not there (404), one that is not ours, and a key that is not ours (403).
        let insert = format!(
            "INSERT INTO outbox (event_id, exchange, routing_key, subject, sequence, headers, payload)
             VALUES (gen_random_uuid(), '{exchange}', '{key}', 'lab/0', 1, '{{}}', '{{}}')"
        );
        arena.sql(Role::Source, &insert).await?;
        load.reached(150 + (round + 1) * 300).await;
    }
    arena.finish(load).await?;
    arena.published().await?;
    arena.until(Role::Source, "SELECT count(*) = 3 AS holds FROM outbox_parked").await?;
    arena.sql(Role::Source, "DELETE FROM outbox_parked").await?;
    let detail = arena.end().await?;
    Ok(Verdict::Holds(format!("{detail}; 3 culprits parked")))
}

pub(super) async fn rights_taken(arena: &mut Arena) -> Result<Verdict> {
    let mut load = begin(arena, &steady()).await?;
    for role in [Role::Source, Role::Sink] {
        let user = role.name();
        arena.servers.rabbitmq(Method::DELETE, &format!("permissions/{VHOST}/{user}"), None).await?;
    }
    arena.close_connections().await?;
    let accepted = load.accepted();
    load.reached((accepted + 300).min(1_500)).await;
    // A new password, which the processes do not know, and the old one again.
    let user = json!({"password": "another", "tags": ""});
    arena.servers.rabbitmq(Method::PUT, "users/crm", Some(&user)).await?;
    arena.close_connections().await?;
    load.reached((accepted + 600).min(1_500)).await;
    arena.setup(Role::Source).await?;
    arena.setup(Role::Sink).await?;
    arena.patience = Duration::from_mins(3);
    let healed = Instant::now();
    arena.finish(load).await?;
    arena.hurry(Role::Source).await?;
    arena.published().await?;
    let detail = arena.end().await?;
    Ok(Verdict::Holds(format!("{detail}; published {:.1?} after the rights were back", healed.elapsed())))
}

pub(super) async fn nothing_declared(arena: &mut Arena) -> Result<Verdict> {
    // Setup makes schema and role first, and fails at a broker that is not there yet.
    arena.setup(Role::Source).await?;
    arena.setup(Role::Sink).await?;
    arena.servers.script(&["remove_vhost", VHOST]).await?;
    for number in 1..=2 {
        arena.add(Role::Source, number)?;
        arena.add(Role::Sink, number)?;
    }
    for node in arena.nodes() {
        node.start(None)?;
    }
    let wait = Duration::from_millis(arena.chance.random_range(3_000..5_000));
    let until = Instant::now() + wait;
    while Instant::now() < until {
        for node in arena.nodes() {
            if node.has_ended() {
                return Err(format!("{} ended", node.name).into());
            }
            if node.is_ready().await {
                return Err(format!("{} says that it is ready", node.name).into());
            }
        }
        sleep(Duration::from_millis(100)).await;
    }
    arena.setup(Role::Source).await?;
    arena.setup(Role::Sink).await?;
    let healed = Instant::now();
    arena.all_ready().await?;
    let ready = healed.elapsed();
    let load = arena.clients(&Plan::default())?;
    arena.finish(load).await?;
    let detail = arena.end().await?;
    Ok(Verdict::Holds(format!("{detail}; ready {ready:.1?} after the setup")))
}
