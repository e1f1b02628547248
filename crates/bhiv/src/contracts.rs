//! `bhiv contracts`: whether what is here can be deployed beside what is deployed.

mod documents;
mod events;
mod limits;
mod openapi;
mod problems;
mod report;
mod schema;
mod topology;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};

use documents::Documents;
use report::Report;

/// `bhiv contracts`
#[derive(Debug, Subcommand)]
pub enum Contracts {
    /// Compare the contracts in a folder with those of a commit: what breaks whom, without a new major version.
    ///
    /// Exits with 1 when something breaks and nobody accepted it in breaking.json, with 2 when it cannot be told.
    Check(Check),
}

/// `bhiv contracts check`
#[derive(Args, Debug)]
pub struct Check {
    /// What is deployed: a commit, branch or tag of the repository that the folder is in.
    #[arg(long, value_name = "REF", required_unless_present = "against_dir")]
    against: Option<String>,
    /// What is deployed, as a folder.
    #[arg(long, value_name = "FOLDER", conflicts_with = "against")]
    against_dir: Option<PathBuf>,
    /// What is to be deployed.
    #[arg(long, value_name = "FOLDER", default_value = "proto-docs")]
    docs: PathBuf,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

impl Contracts {
    pub fn run(self) -> ExitCode {
        let Self::Check(check) = self;
        match check.report() {
            Ok(report) if check.json => match serde_json::to_string_pretty(&report) {
                Ok(text) => {
                    out!("{text}");
                    verdict(&report)
                }
                Err(error) => cannot_tell(&error.to_string()),
            },
            Ok(report) => {
                report.show();
                verdict(&report)
            }
            Err(reason) => cannot_tell(&reason),
        }
    }
}

fn verdict(report: &Report) -> ExitCode {
    if report.breaking() == 0 { ExitCode::SUCCESS } else { ExitCode::from(1) }
}

fn cannot_tell(reason: &str) -> ExitCode {
    eprintln!("bhiv: it cannot be told whether contracts are broken: {reason}");
    ExitCode::from(2)
}

impl Check {
    fn report(&self) -> Result<Report, String> {
        let new = Documents::of_folder(&self.docs)?;
        let (against, old) = match (&self.against, &self.against_dir) {
            (Some(commit), _) => (commit.clone(), Documents::of_commit(&self.docs, commit)?),
            (None, Some(folder)) => (folder.display().to_string(), Documents::of_folder(folder)?),
            (None, None) => {
                return Err("neither --against nor --against-dir says what is deployed".to_owned());
            }
        };
        let mut report = Report { against, ..Report::default() };
        events::check(&old, &new, &mut report);
        topology::check(&old, &new, &mut report);
        openapi::check(&old, &new, &mut report);
        problems::check(&old, &new, &mut report);
        // A list of before that cannot be read accepted nothing.
        report.accept(&report::accepted(&new)?, &report::accepted(&old).unwrap_or_default());
        Ok(report)
    }
}
