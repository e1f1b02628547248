//! A database that dies, changes its role, or is in the way.

use std::time::Duration;

use bhiv_db::Conn;
use diesel_async::{AsyncConnection as _, RunQueryDsl as _};
use tokio::time::{Instant, sleep};

use super::Verdict;
use crate::Result;
use crate::arena::{Arena, Role};
use crate::load::{Load, Plan};

fn steady() -> Plan {
    Plan { requests: 1_500, pause: Duration::from_millis(10), ..Plan::default() }
}

async fn begin(arena: &mut Arena, plan: &Plan) -> Result<Load> {
    arena.begin().await?;
    let mut load = arena.clients(plan)?;
    load.reached(plan.requests / 10).await;
    Ok(load)
}

pub(super) async fn restarted(arena: &mut Arena) -> Result<Verdict> {
    let mut load = begin(arena, &steady()).await?;
    for round in 1..=3 {
        arena.servers.script(&["postgres_down", "immediate"]).await?;
        arena.servers.script(&["postgres_up"]).await?;
        load.reached(150 + round * 300).await;
    }
    arena.finish(load).await?;
    Ok(Verdict::Holds(arena.end().await?))
}

pub(super) async fn read_only(arena: &mut Arena) -> Result<Verdict> {
    let mut load = begin(arena, &steady()).await?;
    arena.servers.script(&["postgres_set", "default_transaction_read_only", "on"]).await?;
    let before = load.accepted();
    // No write is accepted; then there is a primary again, behind the same address.
    sleep(Duration::from_secs(3)).await;
    let during = load.accepted() - before;
    let admin = arena.servers.database_url.clone();
    let mut conn = Conn::establish(admin.expose()).await?;
    for statement in
        ["SET default_transaction_read_only = off", "ALTER SYSTEM RESET default_transaction_read_only"]
    {
        diesel::sql_query(statement).execute(&mut conn).await?;
    }
    diesel::sql_query("SELECT pg_reload_conf()").execute(&mut conn).await?;
    load.reached(1_500).await;
    arena.finish(load).await?;
    let detail = arena.end().await?;
    Ok(Verdict::Holds(format!("{detail}; {during} accepted around the change of role")))
}

pub(super) async fn leader_ended(arena: &mut Arena) -> Result<Verdict> {
    let mut load = begin(arena, &steady()).await?;
    let mut ended = 0;
    for round in 1..=10 {
        ended += arena
            .sql(
                Role::Source,
                "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'
                 AND (classid::bigint << 32 | objid::bigint) = hashtextextended('crm.outbox.0', 0)",
            )
            .await?;
        load.reached(150 + round * 120).await;
    }
    if ended == 0 {
        return Err("there was no leader to end".into());
    }
    arena.finish(load).await?;
    let detail = arena.end().await?;
    Ok(Verdict::Holds(format!("{detail}; {ended} leaders ended")))
}

pub(super) async fn deadlocks(arena: &mut Arena) -> Result<Verdict> {
    arena.begin().await?;
    // Two subjects in every other request: they are locked in every order.
    let plan = Plan { requests: 300, subjects: 6, pairs: 0.5, pause: Duration::ZERO, ..Plan::default() };
    let load = arena.clients(&plan)?;
    arena.finish(load).await?;
    Ok(Verdict::Holds(arena.end().await?))
}

pub(super) async fn old_snapshots(arena: &mut Arena) -> Result<Verdict> {
    let mut load = begin(arena, &steady()).await?;
    let mut reader = Conn::establish(arena.servers.database_url.expose()).await?;
    diesel::sql_query("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").execute(&mut reader).await?;
    diesel::sql_query("SELECT count(*) FROM crm.outbox").execute(&mut reader).await?;
    // It has an id that is lower than that of everything after it, and commits last.
    let mut writer = Conn::establish(&arena.servers.schema_url("crm")).await?;
    diesel::sql_query("BEGIN").execute(&mut writer).await?;
    let insert = "INSERT INTO outbox (event_id, exchange, routing_key, subject, sequence, headers, payload)
                  SELECT event_id, 'bhiv.crm', 'crm.audit.recorded.v1', 'audit/late', 1, '{}', '{}'
                  FROM pg_current_xact_id(), gen_random_uuid() AS event_id";
    diesel::sql_query(insert).execute(&mut writer).await?;
    load.reached(1_200).await;
    let waiting = Instant::now();
    arena.until(Role::Source, "SELECT count(*) < 50 AS holds FROM outbox").await?;
    let waiting = waiting.elapsed();
    diesel::sql_query("COMMIT").execute(&mut writer).await?;
    diesel::sql_query("COMMIT").execute(&mut reader).await?;
    arena.finish(load).await?;
    // The late row is no event: it arrives, and becomes a dead letter.
    arena.dead.insert("undecodable".to_owned(), 1);
    let detail = arena.end().await?;
    Ok(Verdict::Holds(format!("{detail}; at most {waiting:.1?} behind the snapshots")))
}

pub(super) async fn two_migrate(arena: &mut Arena) -> Result<Verdict> {
    arena.setup(Role::Source).await?;
    arena.setup(Role::Sink).await?;
    for role in [Role::Source, Role::Sink] {
        let name = role.name();
        let mut conn = Conn::establish(arena.servers.database_url.expose()).await?;
        diesel::sql_query(format!("DROP OWNED BY {name}")).execute(&mut conn).await?;
        diesel::sql_query(format!("CREATE SCHEMA IF NOT EXISTS {name} AUTHORIZATION {name}"))
            .execute(&mut conn)
            .await?;
    }
    for number in 1..=4 {
        arena.add(Role::Source, number)?;
        arena.add(Role::Sink, number)?;
    }
    for node in arena.nodes() {
        node.start(None)?;
    }
    arena.all_ready().await?;
    let load = arena.clients(&Plan { requests: 200, ..Plan::default() })?;
    arena.finish(load).await?;
    Ok(Verdict::Holds(arena.end().await?))
}

pub(super) async fn disk_full(arena: &mut Arena) -> Result<Verdict> {
    if let Err(reason) = arena.servers.script(&["small_disk_up"]).await {
        return Ok(Verdict::NotHere(format!("a small disk cannot be mounted here: {reason}")));
    }
    arena.setup(Role::Source).await?;
    arena.setup(Role::Sink).await?;
    for role in [Role::Source, Role::Sink] {
        let name = role.name();
        for kind in ["TABLE", "INDEX"] {
            let all =
                format!("ALTER {kind} ALL IN TABLESPACE pg_default OWNED BY {name} SET TABLESPACE small");
            arena.sql(role, &all).await?;
        }
    }
    let mut load = begin(arena, &Plan { requests: 2_000, ..steady() }).await?;
    arena.servers.script(&["small_disk_fill"]).await?;
    // Until a write was refused; those that fit into what is there already go on.
    let until = Instant::now() + Duration::from_secs(30);
    while !arena.sources.iter().any(|node| node.says("No space left on device")) {
        if Instant::now() > until || load.accepted() == 2_000 {
            return Err("the disk was never full".into());
        }
        sleep(Duration::from_millis(50)).await;
    }
    sleep(Duration::from_secs(2)).await;
    let refused = load.accepted();
    arena.servers.script(&["small_disk_free"]).await?;
    load.reached(2_000).await;
    arena.finish(load).await?;
    let detail = arena.end().await?;
    Ok(Verdict::Holds(format!("{detail}; full when {refused} were accepted")))
}
