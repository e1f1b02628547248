//! The task service: `task run`, `task setup`, `task migrate`, `task describe`.

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    bhiv_service::main::<task::TaskService>().await
}
