//! The gateway through its HTTP API, by delivered events, and in front of a module.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod auth;
mod forwarding;
mod live;
mod module;
mod unified;

use bhiv_gateway::{Config, Gateway};
use bhiv_testing::{TestApp, servers};
use clap::Parser;

use crate::module::Module;

bhiv_testing::service_rules!(bhiv_gateway::Gateway);

#[derive(Parser)]
struct CommandLine {
    #[command(flatten)]
    config: Config,
}

/// The gateway in front of `module`, which stands for all of them.
async fn app(module: &Module) -> TestApp {
    TestApp::start_with::<Gateway>(|key| {
        let redis = servers().redis_url;
        let mut arguments = vec![
            "gateway".to_owned(),
            format!("--signing-key-file={}", key.display()),
            format!("--redis-url={}", redis.expose()),
        ];
        for name in ["crm", "logistics", "task", "compliance", "rl", "logging"] {
            arguments.push(format!("--{name}-url={}", module.url));
        }
        CommandLine::parse_from(arguments).config
    })
    .await
}
