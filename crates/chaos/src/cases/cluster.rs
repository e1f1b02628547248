//! A cluster of three brokers that loses its majority.

use std::collections::HashSet;
use std::time::Duration;

use bhiv_db::Conn;
use diesel::sql_types::BigInt;
use diesel_async::{AsyncConnection as _, RunQueryDsl as _};
use rand::seq::SliceRandom as _;
use reqwest::Method;
use serde::Deserialize;
use tokio::time::{Instant, sleep};

use super::Verdict;
use crate::Result;
use crate::arena::{Arena, Role};
use crate::control::{Servers, VHOST};
use crate::load::Plan;

/// Clients that write until they are told to end: some forty requests a second.
fn endless() -> Plan {
    Plan { writers: 4, requests: usize::MAX, pause: Duration::from_millis(80), ..Plan::default() }
}

/// So often a hundred requests are made and published without the first node: some two seconds each.
const ROUNDS: usize = 6;

/// Rows that the clients add while nothing may be confirmed: for some ten seconds.
const GROWTH: usize = 1_000;

/// How long the survivor of the two is looked at, at most.
const PATIENCE: Duration = Duration::from_mins(2);

/// What a replica writes when it gives up the lead.
const MAKES_WAY: &str = "RabbitMQ is out of reach";

pub(super) async fn parted(arena: &mut Arena) -> Result<Verdict> {
    let nodes = begin(arena).await?;
    let mut load = arena.clients(&endless())?;
    load.reached(200).await;

    // Chance decides which of them: with a replica of each service, with the leader's, with none.
    let mut order: Vec<usize> = (1..=nodes.len()).collect();
    order.shuffle(&mut arena.chance);
    let [first, second, survivor] = order.as_slice() else { return Err("no three nodes".into()) };
    let (first, second) = (first.to_string(), second.to_string());

    arena.servers.script(&["cluster_signal", &first, "STOP"]).await?;
    let mut slowest = Duration::ZERO;
    // For longer than the others take to notice.
    for _ in 0..ROUNDS {
        let began = Instant::now();
        load.reached(load.accepted() + 100).await;
        arena.until(Role::Source, &all_gone(&waiting(arena).await?)).await?;
        slowest = slowest.max(began.elapsed());
    }

    arena.servers.script(&["cluster_signal", &second, "STOP"]).await?;
    let made_way = ways_made(arena);
    let alone = Instant::now();
    // Then the leader has deleted what was confirmed before, and has asked for more in vain.
    while ways_made(arena) == made_way {
        patiently(alone, "nobody has made way").await?;
    }
    let before = waiting(arena).await?;
    let mut after = waiting(arena).await?;
    while after.len() < before.len() + GROWTH {
        patiently(alone, "the clients do not get on").await?;
        after = waiting(arena).await?;
    }
    if let Some(gone) = before.difference(&after).next() {
        return Err(format!("node {survivor} alone has confirmed row {gone}").into());
    }

    arena.servers.script(&["cluster_continue"]).await?;
    let healed = Instant::now();
    arena.patience = Duration::from_mins(3);
    arena.until(Role::Source, &all_gone(&after)).await?;
    let healed = healed.elapsed();
    load.enough();
    arena.finish(load).await?;
    let detail = arena.end().await?;
    Ok(Verdict::Holds(format!(
        "{detail}; without node {first}: published {slowest:.1?} later at most; node {survivor} alone: {} rows waited, \
         published {healed:.1?} after the others were back",
        after.len()
    )))
}

/// As every case begins, on a cluster: the first replicas are clients of its first node, the second ones of its
/// second node.
async fn begin(arena: &mut Arena) -> Result<Vec<Servers>> {
    let ports = arena.servers.script(&["cluster_up"]).await?;
    let mut nodes = Vec::new();
    for line in ports.lines() {
        let (amqp, admin) = line.split_once(' ').ok_or("no two ports")?;
        nodes.push(arena.servers.with_broker(amqp.parse()?, admin.parse()?)?);
    }
    let [first, second, _] = nodes.as_slice() else { return Err("no three nodes".into()) };
    arena.servers.script(&["cluster_node", "1", "remove_vhost", VHOST]).await?;
    arena.servers = first.clone();
    arena.setup(Role::Source).await?;
    arena.setup(Role::Sink).await?;
    everywhere(first).await?;
    for (number, node) in [(2, second), (1, first)] {
        arena.servers = node.clone();
        arena.add(Role::Source, number)?;
        arena.add(Role::Sink, number)?;
    }
    for node in arena.nodes() {
        node.start(None)?;
    }
    arena.all_ready().await?;
    Ok(nodes)
}

/// Every queue is on all three nodes, or the case would prove nothing.
async fn everywhere(servers: &Servers) -> Result {
    #[derive(Deserialize)]
    struct Queue {
        name: String,
        members: Vec<String>,
    }
    let path = format!("queues/{VHOST}");
    let queues: Vec<Queue> = serde_json::from_value(servers.rabbitmq(Method::GET, &path, None).await?)?;
    match queues.iter().find(|queue| queue.members.len() != 3) {
        Some(Queue { name, members }) => Err(format!("{name} is on {members:?} only").into()),
        None if queues.is_empty() => Err("there are no queues".into()),
        None => Ok(()),
    }
}

/// The rows of the source's outbox.
async fn waiting(arena: &Arena) -> Result<HashSet<i64>> {
    #[derive(diesel::QueryableByName)]
    struct Row {
        #[diesel(sql_type = BigInt)]
        id: i64,
    }
    let mut conn = Conn::establish(&arena.servers.schema_url(Role::Source.name())).await?;
    let rows: Vec<Row> = diesel::sql_query("SELECT id FROM outbox").load(&mut conn).await?;
    Ok(rows.into_iter().map(|row| row.id).collect())
}

fn all_gone(rows: &HashSet<i64>) -> String {
    let ids: Vec<_> = rows.iter().map(i64::to_string).collect();
    format!("SELECT NOT EXISTS (SELECT FROM outbox WHERE id = ANY ('{{{}}}')) AS holds", ids.join(","))
}

/// Waits a moment, or says what has not happened since then.
async fn patiently(since: Instant, what: &str) -> Result {
    if since.elapsed() > PATIENCE {
        return Err(format!("after {PATIENCE:?} {what}").into());
    }
    sleep(Duration::from_millis(200)).await;
    Ok(())
}

/// How often a source has given up the lead.
fn ways_made(arena: &Arena) -> usize {
    arena.sources.iter().map(|node| node.times(MAKES_WAY)).sum()
}
