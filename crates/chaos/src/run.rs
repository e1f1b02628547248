//! The command line: which cases, how often; progress, a table, a report.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::{Args, Parser};
use comfy_table::Table;
use comfy_table::presets::UTF8_HORIZONTAL_ONLY;
use serde_json::{Value, json};
use tokio::signal::unix::{SignalKind, signal};

use crate::arena::Arena;
use crate::cases::{self, Case, Verdict};
use crate::control::Servers;
use crate::{Fault, Result};

/// The lab's services have no settings of their own.
#[derive(Args, Clone, Debug, Default)]
pub struct NoSettings {}

/// Break things, one fault at a time, and check that nothing was lost or done twice.
#[derive(Debug, Parser)]
#[command(name = "scripts/chaos", version)]
struct CommandLine {
    /// Cases by number or name; all of them when none is named.
    cases: Vec<String>,
    /// Runs of each case.
    #[arg(long, default_value_t = 1)]
    runs: u64,
    /// Repeats what chance decided in the run that printed this seed.
    #[arg(long)]
    seed: Option<u64>,
    /// Only those that take a few seconds.
    #[arg(long)]
    quick: bool,
    /// List the cases and what each has to prove.
    #[arg(long)]
    list: bool,
    /// Stop at the first failure and leave everything as it is.
    #[arg(long)]
    fail_fast: bool,
    /// Where the JSON report goes; beside the logs when it is not said.
    #[arg(long)]
    report: Option<PathBuf>,
    /// Flows through the whole system, in its case.
    #[arg(long, default_value_t = 1_000)]
    flows: usize,
    #[command(flatten)]
    servers: Servers,
}

/// What became of one run of one case.
struct Outcome {
    case: &'static Case,
    seed: u64,
    took: Duration,
    verdict: Result<Verdict>,
}

impl Outcome {
    fn word(&self) -> &'static str {
        match &self.verdict {
            Ok(Verdict::Holds(_)) => "holds",
            Ok(Verdict::NotHere(_)) => "not run",
            Err(_) => "FAILS",
        }
    }

    fn detail(&self) -> String {
        match &self.verdict {
            Ok(Verdict::Holds(detail) | Verdict::NotHere(detail)) => detail.clone(),
            Err(fault) => fault.to_string(),
        }
    }
}

/// Everything that `chaos` does.
pub async fn main() -> ExitCode {
    let line = CommandLine::parse();
    // Told to end, it ends the processes of its case too.
    let acted = tokio::select! {
        acted = act(line) => acted,
        told = told_to_end() => told.and(Err("told to end".into())),
    };
    match acted {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            say(&format!("chaos: {error}"));
            ExitCode::FAILURE
        }
    }
}

async fn told_to_end() -> Result {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}

#[expect(clippy::print_stderr, reason = "progress is for whoever looks on")]
pub(crate) fn say(line: &str) {
    eprintln!("{line}");
}

#[expect(clippy::print_stdout, reason = "the table is the result")]
fn show(table: &Table) {
    println!("{table}");
}

async fn act(line: CommandLine) -> Result<bool> {
    let chosen = choose(&line.cases, line.quick)?;
    if line.list {
        let mut table = Table::new();
        table.load_preset(UTF8_HORIZONTAL_ONLY).set_header(["", "case", "fault", "what holds"]);
        for case in chosen {
            let mark = if case.quick { "quick" } else { "" };
            table.add_row([
                &case.number.to_string(),
                case.name,
                case.fault,
                &format!("{} {mark}", case.promise),
            ]);
        }
        show(&table);
        return Ok(true);
    }
    let seed = line.seed.unwrap_or_else(rand::random);
    let started = Instant::now();
    let total = chosen.len() as u64 * line.runs;
    let mut outcomes = Vec::new();
    'all: for case in chosen {
        for run in 0..line.runs {
            // With a seed of one's own, the first run is that very one.
            let seed = if line.seed.is_some() { seed.wrapping_add(run) } else { rand::random() };
            let outcome = run_one(&line.servers, case, seed, line.flows).await;
            let place = outcomes.len() + 1;
            let took = outcome.took.as_secs_f64();
            say(&format!(
                "{place:>4}/{total} {:>2} {:<24} {:<8} {took:>5.1} s  {}",
                case.number,
                case.name,
                outcome.word(),
                outcome.detail()
            ));
            let failed = outcome.verdict.is_err();
            if failed {
                say(&format!("          again: scripts/chaos {} --seed {}", case.name, outcome.seed));
            }
            outcomes.push(outcome);
            if failed && line.fail_fast {
                break 'all;
            }
        }
    }
    show(&table(&outcomes));
    let file = line.report.unwrap_or_else(|| line.servers.run.join("report.json"));
    std::fs::write(&file, format!("{:#}\n", report(&outcomes, started.elapsed())))?;
    say(&format!("report: {}", file.display()));
    Ok(outcomes.iter().all(|outcome| outcome.verdict.is_ok()))
}

fn choose(named: &[String], quick: bool) -> Result<Vec<&'static Case>> {
    let all = cases::all();
    let is_named = |case: &Case, name: &str| case.name == name || case.number.to_string() == name;
    if let Some(unknown) = named.iter().find(|name| !all.iter().any(|case| is_named(case, name))) {
        return Err(format!("there is no case '{unknown}': see scripts/chaos --list").into());
    }
    let is_chosen = |case: &&Case| named.is_empty() || named.iter().any(|name| is_named(case, name));
    Ok(all.iter().filter(|case| case.quick || !quick).filter(is_chosen).collect())
}

async fn run_one(servers: &Servers, case: &'static Case, seed: u64, flows: usize) -> Outcome {
    let started = Instant::now();
    let verdict = async {
        let mut arena = Arena::new(servers.clone(), seed, flows).await?;
        let verdict = (case.run)(&mut arena).await;
        // Whatever a case switched off is on again for the next one.
        servers.script(&["heal"]).await?;
        verdict
    };
    let limit = Duration::from_mins(30);
    let verdict = tokio::time::timeout(limit, verdict)
        .await
        .unwrap_or_else(|_| Err(Fault::from(format!("it did not end within {limit:?}"))));
    Outcome { case, seed, took: started.elapsed(), verdict }
}

fn table(outcomes: &[Outcome]) -> Table {
    let mut table = Table::new();
    table
        .load_preset(UTF8_HORIZONTAL_ONLY)
        .set_header(["", "case", "fault", "runs", "held", "slowest", "last run"]);
    for runs in outcomes.chunk_by(|one, next| one.case.number == next.case.number) {
        let [.., last] = runs else { continue };
        let held = runs.iter().filter(|outcome| outcome.word() == "holds").count();
        let slowest = runs.iter().map(|outcome| outcome.took).max().unwrap_or_default();
        let told = runs.iter().find(|outcome| outcome.verdict.is_err()).unwrap_or(last);
        table.add_row([
            last.case.number.to_string(),
            last.case.name.to_owned(),
            last.case.fault.to_owned(),
            runs.len().to_string(),
            if told.word() == "not run" { "not run".to_owned() } else { held.to_string() },
            format!("{:.1} s", slowest.as_secs_f64()),
            told.detail(),
        ]);
    }
    table
}

fn report(outcomes: &[Outcome], took: Duration) -> Value {
    let runs: Vec<_> = outcomes
        .iter()
        .map(|outcome| {
            json!({
                "number": outcome.case.number,
                "case": outcome.case.name,
                "fault": outcome.case.fault,
                "seed": outcome.seed,
                "outcome": outcome.word(),
                "seconds": outcome.took.as_secs_f64(),
                "detail": outcome.detail(),
            })
        })
        .collect();
    json!({"seconds": took.as_secs_f64(), "runs": runs})
}
