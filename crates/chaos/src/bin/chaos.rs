//! Runs the faults; see `scripts/chaos`.

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    bhiv_chaos::run::main().await
}
