//! The lab's source: `run`, `setup`, `migrate`, `describe`, as every service.

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    bhiv_service::main::<bhiv_chaos::lab::Source>().await
}
