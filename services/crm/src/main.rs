//! The crm service: `crm run`, `crm setup`, `crm migrate`, `crm describe`.

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    bhiv_service::main::<crm::Crm>().await
}
