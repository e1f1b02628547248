//! The gateway: `bhiv-gateway run`, `setup`, `migrate`, `describe`.

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    bhiv_service::main::<bhiv_gateway::Gateway>().await
}
