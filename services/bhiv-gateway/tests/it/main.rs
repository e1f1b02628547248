//! The gateway through its HTTP API, by delivered events, and in front of a module.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod api_keys;
mod attacks;
mod auth;
mod cache;
mod compose;
mod consent;
mod edge;
mod erasure;
mod flood;
mod forwarding;
mod limits;
mod live;
mod module;
mod nginx;
mod outside;
mod publish;
mod raw;
mod rbac;
mod receiver;
mod resilience;
mod sessions;
mod standbys;
mod teams;
mod unified;
mod webhooks;
mod ws;

use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};

use bhiv_gateway::{Config, Gateway};
use bhiv_testing::{TestApp, servers};
use clap::Parser;

use crate::module::Module;

bhiv_testing::service_rules!(bhiv_gateway::Gateway);

#[derive(Parser)]
#[command(args_override_self = true)]
struct CommandLine {
    #[command(flatten)]
    config: Config,
}

/// The gateway in front of `module`, which stands for all of them.
async fn app(module: &Module) -> TestApp {
    app_with(module, &[]).await
}

/// The same with more settings, the later ones instead of earlier ones.
async fn app_with(module: &Module, more: &[String]) -> TestApp {
    TestApp::start_with::<Gateway>(settings(module, more)).await
}

/// Another replica beside `first`, with the same settings as it.
fn replica_of(first: &TestApp, module: &Module, more: &[String]) -> TestApp {
    TestApp::replica_of::<Gateway>(first, settings(module, more))
}

fn settings(module: &Module, more: &[String]) -> impl FnOnce(&Path) -> Config {
    move |key| {
        let redis = servers().redis_url;
        let mut arguments = vec![
            "gateway".to_owned(),
            format!("--signing-key-file={}", key.display()),
            format!("--redis-url={}", redis.expose()),
            format!("--redis-prefix={}", prefix()),
            // Test machines are slow at times, and that is not what is tested.
            "--redis-patience-ms=10000".to_owned(),
        ];
        for name in ["crm", "logistics", "task", "compliance", "rl", "logging"] {
            arguments.push(format!("--{name}-url={}", module.url));
        }
        arguments.extend_from_slice(more);
        CommandLine::parse_from(arguments).config
    }
}

/// Tests share Redis, and nothing in it.
fn prefix() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!("test-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}
