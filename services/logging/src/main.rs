//! The logging service: `logging run`, `logging setup`, `logging migrate`, `logging describe`.

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    bhiv_service::main::<logging::Logging>().await
}
