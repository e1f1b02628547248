//! The logistics service: `logistics run`, `logistics setup`, `logistics migrate`, `logistics describe`.

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    bhiv_service::main::<logistics::Logistics>().await
}
