//! Connections of workers and of everybody else, at a real PostgreSQL.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::HashSet;
use std::thread;

use bhiv_db::{Error, Pool, PooledConnection};
use bhiv_settings::Database;
use bhiv_testing::TestDatabase;
use diesel::sql_types::Integer;
use diesel::{QueryableByName, sql_query};
use diesel_async::RunQueryDsl as _;
use tokio::runtime::{Builder, Runtime};

#[derive(QueryableByName)]
struct Backend {
    #[diesel(sql_type = Integer)]
    pid: i32,
}

async fn backend(conn: &mut PooledConnection) -> i32 {
    let backend: Backend = sql_query("SELECT pg_backend_pid() AS pid").get_result(conn).await.unwrap();
    backend.pid
}

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

/// A database, and a pool of 8 connections for one worker, made on a main runtime that stands still.
fn standing() -> (Runtime, TestDatabase, Pool) {
    let main = runtime();
    let database = main.block_on(TestDatabase::empty());
    let settings = Database { database_connections: 8, ..database.settings() };
    let pool = main.block_on(async { Pool::new(&settings, 1).unwrap() });
    (main, database, pool)
}

/// Does what an actix worker does: on a thread of its own, whose runtime is its own too.
fn on_a_worker<T: Send + 'static>(work: impl AsyncFnOnce() -> T + Send + 'static) -> T {
    thread::spawn(move || runtime().block_on(work())).join().unwrap()
}

#[test]
fn a_worker_reads_while_the_main_runtime_stands_still() {
    let (_main, _database, pool) = standing();
    // One after the other: whoever ends leaves its place to the next one.
    for _ in 0..2 {
        let pool = pool.clone();
        on_a_worker(async move || pool.ping().await).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_finds_its_own_connections_lent_gets_another_up_to_the_limit() {
    let database = TestDatabase::empty().await;
    let settings = Database { database_connections: 8, ..database.settings() };
    let pool = Pool::new(&settings, 1).unwrap();
    let worker = async move || {
        let (mut lent, mut backends) = (Vec::new(), Vec::new());
        for _ in 0..8 {
            let mut conn = pool.get().await.unwrap();
            backends.push(backend(&mut conn).await);
            lent.push(conn);
        }
        assert_eq!(backends.iter().collect::<HashSet<_>>().len(), 8);
        assert!(matches!(pool.get().await, Err(Error::Unavailable(_))));
        // Two of them are its own: it takes these first, also when all are back.
        drop(lent);
        let mut conn = pool.get().await.unwrap();
        assert!(backends[..2].contains(&backend(&mut conn).await));
        drop(conn);
        pool.close();
        assert!(matches!(pool.get().await, Err(Error::Unavailable(_))));
    };
    tokio::task::spawn_blocking(move || on_a_worker(worker)).await.unwrap();
}
