//! Processes that die.

use std::time::Duration;

use super::Verdict;
use crate::Result;
use crate::arena::{Arena, Role};
use crate::lab::Act;
use crate::load::Plan;

/// Has one replica of `role` die at `point` under load, then starts it again.
async fn dies_at(arena: &mut Arena, role: Role, point: &str, plan: &Plan) -> Result {
    arena.begin().await?;
    // Only the one that dies, so that the work is its own; the other one takes over.
    let node = match role {
        Role::Source => arena.source()?,
        Role::Sink => arena.sink()?,
    };
    node.stop().await?;
    node.start(Some(point))?;
    node.ready().await?;
    let other = match role {
        Role::Source => arena.sources.get_mut(1),
        Role::Sink => arena.sinks.get_mut(1),
    };
    let other = other.ok_or("one replica only")?;
    other.stop().await?;
    if role == Role::Source {
        // Or the other one may be quicker to lead.
        arena.source()?.leads().await?;
    }
    let other = match role {
        Role::Source => arena.sources.get_mut(1),
        Role::Sink => arena.sinks.get_mut(1),
    };
    let other = other.ok_or("one replica only")?;
    if role == Role::Source {
        other.start(None)?;
        other.ready().await?;
    }

    let load = arena.clients(plan)?;
    let node = match role {
        Role::Source => arena.source()?,
        Role::Sink => arena.sink()?,
    };
    let status = node.ended(Duration::from_mins(1)).await?;
    if status.success() {
        return Err(format!("it ended with {status} instead of dying at {point}").into());
    }
    for node in arena.nodes() {
        if node.has_ended() {
            node.start(None)?;
        }
    }
    arena.finish(load).await?;
    arena.all_ready().await?;
    Ok(())
}

async fn dies_and_holds(arena: &mut Arena, role: Role, point: &str) -> Result<Verdict> {
    dies_at(arena, role, point, &Plan::default()).await?;
    Ok(Verdict::Holds(arena.end().await?))
}

/// As [`dies_and_holds`]; and something must have come twice, or the case proves nothing.
async fn dies_and_repeats(arena: &mut Arena, role: Role, point: &str) -> Result<Verdict> {
    dies_at(arena, role, point, &Plan::default()).await?;
    arena.settled().await?;
    let repeated = arena.repeated().await?;
    if repeated < 1.0 {
        return Err("nothing came twice".into());
    }
    let detail = arena.end().await?;
    Ok(Verdict::Holds(format!("{detail}, {repeated} repeated")))
}

pub(super) async fn crash_before_commit(arena: &mut Arena) -> Result<Verdict> {
    dies_and_holds(arena, Role::Source, "command.done:20").await
}

pub(super) async fn crash_after_commit(arena: &mut Arena) -> Result<Verdict> {
    dies_and_holds(arena, Role::Source, "command.committed:20").await
}

pub(super) async fn crash_before_confirm(arena: &mut Arena) -> Result<Verdict> {
    dies_and_holds(arena, Role::Source, "relay.sent:10").await
}

pub(super) async fn crash_before_delete(arena: &mut Arena) -> Result<Verdict> {
    dies_and_repeats(arena, Role::Source, "relay.confirmed:10").await
}

pub(super) async fn crash_in_handler(arena: &mut Arena) -> Result<Verdict> {
    dies_and_holds(arena, Role::Sink, "inbox.handled:3").await
}

pub(super) async fn crash_before_ack(arena: &mut Arena) -> Result<Verdict> {
    dies_and_repeats(arena, Role::Sink, "inbox.committed:3").await
}

pub(super) async fn crash_after_parking(arena: &mut Arena) -> Result<Verdict> {
    arena.patience = Duration::from_mins(2);
    let plan = Plan { every: Some((40, Act::Fail)), ..Plan::default() };
    arena.begin().await?;
    arena.tell(Act::Fail, true).await?;
    for node in arena.nodes() {
        node.stop().await?;
        node.start(None)?;
        node.ready().await?;
    }
    let dying = arena.sink()?;
    dying.stop().await?;
    dying.start(Some("park.committed:2"))?;
    dying.ready().await?;
    let other = arena.sinks.get_mut(1).ok_or("one replica only")?;
    other.stop().await?;
    let load = arena.clients(&plan)?;
    let status = arena.sink()?.ended(Duration::from_mins(1)).await?;
    if status.success() {
        return Err(format!("it ended with {status} instead of dying").into());
    }
    arena.tell(Act::Fail, false).await?;
    for node in &mut arena.sinks {
        node.start(None)?;
    }
    arena.finish(load).await?;
    arena.all_ready().await?;
    // What is parked need not wait for its time.
    arena.sql(Role::Sink, "UPDATE inbox_parked SET next_attempt_at = now()").await?;
    Ok(Verdict::Holds(arena.end().await?))
}

pub(super) async fn ended_under_load(arena: &mut Arena) -> Result<Verdict> {
    arena.begin().await?;
    let plan = Plan { requests: 6_000, pause: Duration::from_millis(40), ..Plan::default() };
    let load = arena.clients(&plan)?;
    let mut slowest = Duration::ZERO;
    for cycle in 0..50_usize {
        let node = arena.nodes().nth(cycle % 4).ok_or("no such node")?;
        slowest = slowest.max(node.stop().await?);
        node.start(None)?;
        node.ready().await?;
    }
    arena.finish(load).await?;
    let detail = arena.end().await?;
    Ok(Verdict::Holds(format!("{detail}; 50 ends, the slowest took {slowest:.1?}")))
}

/// Where Debian and others put it.
const FAKETIME: [&str; 3] = [
    "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1",
    "/usr/lib/aarch64-linux-gnu/faketime/libfaketimeMT.so.1",
    "/usr/lib/faketime/libfaketimeMT.so.1",
];

pub(super) async fn clocks_astray(arena: &mut Arena) -> Result<Verdict> {
    let Some(library) = FAKETIME.into_iter().find(|file| std::path::Path::new(file).exists()) else {
        return Ok(Verdict::NotHere("libfaketime is not installed: apt-get install faketime".to_owned()));
    };
    arena.setup(Role::Source).await?;
    arena.setup(Role::Sink).await?;
    for number in 1..=2 {
        arena.add(Role::Source, number)?;
        arena.add(Role::Sink, number)?;
    }
    for (place, node) in arena.nodes().enumerate() {
        node.set("LD_PRELOAD", library);
        // Timers go by the monotonic clock, which nobody can set.
        node.set("FAKETIME_DONT_FAKE_MONOTONIC", "1");
        node.set("FAKETIME", if place % 2 == 0 { "+3600s" } else { "-3600s" });
        node.start(None)?;
    }
    arena.all_ready().await?;
    let mut load = arena.clients(&Plan { requests: 600, ..Plan::default() })?;
    load.reached(200).await;
    // Two hours back.
    for role in [Role::Source, Role::Sink] {
        let node = match role {
            Role::Source => arena.source()?,
            Role::Sink => arena.sink()?,
        };
        node.stop().await?;
        node.set("FAKETIME", "-3600s");
        node.start(None)?;
        node.ready().await?;
    }
    arena.finish(load).await?;
    Ok(Verdict::Holds(arena.end().await?))
}
