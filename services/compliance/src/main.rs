//! The compliance service: `compliance run`, `compliance setup`, `compliance migrate`, `compliance describe`.

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    bhiv_service::main::<compliance::Compliance>().await
}
