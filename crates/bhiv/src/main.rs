//! `bhiv`: the command line of BHIV Unified Core.

#![expect(clippy::print_stderr, reason = "it talks to a terminal")]

/// Prints a line. When nobody reads on, as with `| head`, the program ends.
macro_rules! out {
    ($($line:tt)*) => {{
        use std::io::Write as _;
        if writeln!(std::io::stdout(), $($line)*).is_err() {
            std::process::exit(0);
        }
    }};
}

mod backup;
mod broker;
mod contracts;
mod dlq;
mod events;
mod flow;
mod keys;
mod operator;
mod outbox;
mod parked;
mod ready;
mod verify;

use std::process::ExitCode;

use clap::{CommandFactory as _, Parser, Subcommand};

/// Run the flow, mint tokens, watch and send events, put right what went wrong.
#[derive(Debug, Parser)]
#[command(version, about)]
struct CommandLine {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the eight steps from lead to feedback against a gateway, and show every effect as it arrives.
    Flow(flow::Flow),
    /// Print an access token, signed with the private key of the local stack.
    Token(keys::Token),
    /// Make the key pair that access tokens are signed and verified with.
    Keys(keys::Keys),
    /// Watch events, or send canned ones.
    #[command(subcommand)]
    Events(events::Events),
    /// Prepare RabbitMQ for operators, and for a module that runs without the others.
    #[command(subcommand)]
    Broker(broker::Broker),
    /// See whether what is here can be deployed beside what is deployed.
    #[command(subcommand)]
    Contracts(contracts::Contracts),
    /// Look at dead letters, put them back or drop them.
    #[command(subcommand)]
    Dlq(dlq::Dlq),
    /// Look at parked messages, or have them tried again at once.
    #[command(subcommand)]
    Parked(parked::Parked),
    /// See how outboxes, inboxes and queues are doing.
    #[command(subcommand)]
    Outbox(outbox::Outbox),
    /// Copy all that was accepted, or bring back what is not in PostgreSQL of it.
    #[command(subcommand)]
    Backup(backup::Backup),
    /// Wait until services are ready, and say what they wait for.
    Ready(ready::Ready),
    /// See whether what was kept is what it was.
    #[command(subcommand)]
    Verify(verify::Verify),
}

/// Whatever went wrong, in words.
type Outcome = Result<(), Box<dyn std::error::Error>>;

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = bhiv_settings::arguments(&CommandLine::command());
    let outcome = match CommandLine::parse_from(arguments).command {
        Command::Flow(flow) => flow.run().await,
        Command::Token(token) => token.run(),
        Command::Keys(keys) => keys.run(),
        Command::Events(events) => events.run().await,
        Command::Broker(broker) => broker.run().await,
        Command::Contracts(contracts) => return contracts.run(),
        Command::Dlq(dlq) => dlq.run().await,
        Command::Parked(parked) => parked.run().await,
        Command::Outbox(outbox) => outbox.run().await,
        Command::Backup(backup) => backup.run().await,
        Command::Ready(ready) => ready.run().await,
        Command::Verify(verify) => verify.run().await,
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bhiv: {error}");
            let mut source = error.source();
            while let Some(cause) = source {
                eprintln!("  because: {cause}");
                source = cause.source();
            }
            ExitCode::FAILURE
        }
    }
}
