//! The rl service: `rl run`, `rl setup`, `rl migrate`, `rl describe`.

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    bhiv_service::main::<rl::Rl>().await
}
