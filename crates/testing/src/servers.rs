use std::collections::HashMap;
use std::path::{Path, PathBuf};

use bhiv_settings::Secret;

/// The servers that tests use.
#[derive(Clone, Debug)]
pub struct Servers {
    /// PostgreSQL as an administrator, in a database for tests.
    pub database_url: Secret,
    /// RabbitMQ as an administrator, in a virtual host for tests.
    pub amqp_url: Secret,
    /// RabbitMQ's management API.
    pub rabbitmq_admin_url: Secret,
    /// Redis.
    pub redis_url: Secret,
}

/// The servers that `scripts/test` started: named in the environment, or in the file that it left.
pub fn servers() -> Servers {
    let file = read_file(&workspace().join(".run/test/servers"));
    let setting = |name: &str| {
        #[expect(clippy::disallowed_methods, reason = "tests have no config.rs")]
        let value = std::env::var(name).ok().or_else(|| file.get(name).cloned());
        Secret::from(value.unwrap_or_else(|| {
            panic!("{name} is not set: start the test servers with `scripts/test servers`")
        }))
    };
    Servers {
        database_url: setting("TEST_DATABASE_URL"),
        amqp_url: setting("TEST_AMQP_URL"),
        rabbitmq_admin_url: setting("TEST_RABBITMQ_ADMIN_URL"),
        redis_url: setting("TEST_REDIS_URL"),
    }
}

fn read_file(path: &Path) -> HashMap<String, String> {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    text.lines()
        .filter_map(|line| line.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

/// The root of the workspace.
pub(crate) fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}
