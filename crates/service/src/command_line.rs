use std::process::ExitCode;

use bhiv_settings::{Admin, Broker, Common, Database, Http};
use clap::{Args, CommandFactory as _, FromArgMatches as _, Parser, Subcommand};
use serde_json::json;

use crate::{Error, Service, healthy, run, setup};

#[derive(Debug, Parser)]
#[command(version)]
struct CommandLine<C: Args + std::fmt::Debug> {
    #[command(subcommand)]
    command: Command<C>,
}

#[derive(Debug, Subcommand)]
enum Command<C: Args + std::fmt::Debug> {
    /// Serve until SIGTERM.
    Run {
        #[command(flatten)]
        common: Common,
        #[command(flatten)]
        config: C,
    },
    /// Make schema, role, exchange, queues and user, with administrators' credentials; then exit.
    Setup {
        #[command(flatten)]
        database: Database,
        #[command(flatten)]
        broker: Broker,
        #[command(flatten)]
        admin: Admin,
    },
    /// Bring the schema up to date; then exit. `run` does it too.
    Migrate {
        #[command(flatten)]
        database: Database,
    },
    /// Ask the service that runs in the same container whether it can work, and exit with 0 or 1: a health check for where
    /// there is no shell.
    Healthy {
        #[command(flatten)]
        http: Http,
    },
    /// Print the service's API, topology and problem codes as JSON; then exit.
    Describe,
}

/// The whole `main` of a service: reads the command line and the environment, does what it says, and answers
/// the exit code: 0, 1 after an error, 2 for wrong arguments.
pub async fn main<S: Service>() -> ExitCode {
    let command = CommandLine::<S::Config>::command().name(S::INFO.name).about(S::INFO.description);
    let arguments = bhiv_settings::arguments(&command);
    let matches = command.get_matches_from(arguments);
    let line = CommandLine::<S::Config>::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    match act::<S>(line.command).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(S::INFO.name, &error);
            ExitCode::FAILURE
        }
    }
}

async fn act<S: Service>(command: Command<S::Config>) -> Result<(), Error> {
    match command {
        Command::Run { common, config } => run::run::<S>(common, config).await,
        Command::Setup { database, broker, admin } => setup::setup::<S>(&database, &broker, &admin).await,
        Command::Migrate { database } => {
            bhiv_db::migrate(database.database_url.expose(), S::MIGRATIONS).await?;
            Ok(())
        }
        Command::Healthy { http } => healthy::healthy(http.http_addr).await,
        Command::Describe => {
            describe::<S>();
            Ok(())
        }
    }
}

#[expect(clippy::print_stdout, reason = "printing is what it is for")]
fn describe<S: Service>() {
    let codes: Vec<_> = S::CODES
        .iter()
        .map(|code| json!({"code": code.code, "status": code.status, "title": code.title}))
        .collect();
    let description = json!({
        "openapi": S::api().document(),
        "topology": S::topology(),
        "codes": codes,
    });
    println!("{description:#}");
}

#[expect(clippy::print_stderr, reason = "logging may be what failed")]
fn complain(name: &str, error: &Error) {
    eprintln!("{name}: {error}");
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        eprintln!("  because: {cause}");
        source = cause.source();
    }
}
