//! The real services.

use super::Verdict;
use crate::Result;
use crate::arena::Arena;
use crate::whole::{Reads, Rollout, System};

pub(super) async fn whole(arena: &mut Arena) -> Result<Verdict> {
    let system = System::begin(&arena.servers).await?;
    Ok(Verdict::Holds(system.survive(arena.flows, arena.seed).await?))
}

pub(super) async fn redis(arena: &mut Arena) -> Result<Verdict> {
    let system = System::begin(&arena.servers).await?;
    Ok(Verdict::Holds(system.survive_without_redis(arena.flows.min(200), arena.seed).await?))
}

pub(super) async fn rolled_out(arena: &mut Arena) -> Result<Verdict> {
    let rollout = Rollout::begin(&arena.servers).await?;
    Ok(Verdict::Holds(rollout.unnoticed(arena.seed).await?))
}

pub(super) async fn restored(arena: &mut Arena) -> Result<Verdict> {
    let system = System::begin(&arena.servers).await?;
    Ok(Verdict::Holds(system.restored(arena.seed).await?))
}

pub(super) async fn standby_behind(arena: &mut Arena) -> Result<Verdict> {
    let reads = Reads::begin(&arena.servers).await?;
    Ok(Verdict::Holds(reads.are_near().await?))
}
