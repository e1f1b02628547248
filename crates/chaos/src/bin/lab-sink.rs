//! The lab's sink: `run`, `setup`, `migrate`, `describe`, as every service.

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    bhiv_service::main::<bhiv_chaos::lab::Sink>().await
}
