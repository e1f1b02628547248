//! Prints `schema.rs` for a folder of migrations: what to start with after the first migration of a service,
//! before its tests compile. `cargo run -p bhiv-testing --example print_schema services/crm/migrations`

#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "a tool for the terminal")]

use bhiv_testing::{TestDatabase, rules};
use diesel_async::SimpleAsyncConnection as _;

#[tokio::main]
async fn main() {
    let folder = std::env::args().nth(1).unwrap();
    let mut steps: Vec<_> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path().join("up.sql")).collect();
    steps.sort();
    let mut conn = TestDatabase::empty().await.connect().await;
    for step in steps {
        conn.batch_execute(&std::fs::read_to_string(step).unwrap()).await.unwrap();
    }
    print!("{}", rules::print_schema(&mut conn).await);
}
