//! The local stack, as the scripts start it, beside the one that a developer may be running.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const SERVICES: [&str; 7] = ["crm", "logistics", "task", "compliance", "rl", "logging", "bhiv-gateway"];

/// The stack of the tests.
pub struct Stack {
    root: PathBuf,
    run: PathBuf,
    /// Where its traces go.
    collector: String,
}

impl Stack {
    /// Starts all seven services on the servers of the tests, with logs that begin here.
    pub fn up(collector: &str) -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap();
        let run = root.join(".run/test");
        let stack = Self { root, run, collector: collector.to_owned() };
        // A run that was broken off may have left both.
        stack.script("down", &SERVICES);
        let _ = fs::remove_dir_all(stack.run.join("logs"));
        stack.script("up", &["--no-flow"]);
        stack
    }

    /// Runs a script of the project on this stack.
    pub fn script(&self, name: &str, arguments: &[&str]) -> String {
        let output = Command::new(self.root.join("scripts").join(name))
            .args(arguments)
            .envs([
                ("BHIV_RUN", self.run.to_str().unwrap()),
                ("BHIV_BASE", "27000"),
                ("BHIV_HTTP_BASE", "28000"),
                ("OTEL_EXPORTER_OTLP_ENDPOINT", &self.collector),
            ])
            .output()
            .unwrap();
        text(&format!("scripts/{name} {arguments:?}"), &output)
    }

    /// Runs `bhiv` as the operator of this stack.
    pub fn bhiv(&self, arguments: &[&str]) -> String {
        let output = self.bhiv_command(arguments).output().unwrap();
        text(&format!("bhiv {arguments:?}"), &output)
    }

    pub fn bhiv_command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_bhiv"));
        command.args(arguments).envs(self.environment("operator")).current_dir(&self.run);
        command
    }

    /// The settings of a service, or of the `operator`.
    pub fn environment(&self, name: &str) -> HashMap<String, String> {
        let file = fs::read_to_string(self.run.join(format!("env/{name}.env"))).unwrap();
        file.lines()
            .filter_map(|line| line.split_once('='))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect()
    }

    /// Where a service listens.
    pub fn url(&self, service: &str) -> String {
        format!("http://{}", self.environment(service)["HTTP_ADDR"])
    }

    /// What each service wrote.
    pub fn logs(&self) -> Vec<(String, String)> {
        let services = SERVICES.map(|service| {
            let file = self.run.join(format!("logs/{service}.log"));
            (service.to_owned(), fs::read_to_string(file).unwrap())
        });
        services.into()
    }

    /// Services that wrote about this trace.
    pub fn services_that_wrote(&self, trace: &str) -> Vec<String> {
        let needle = format!("\"trace.id\":\"{trace}\"");
        self.logs().into_iter().filter(|(_, log)| log.contains(&needle)).map(|(service, _)| service).collect()
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        self.script("down", &SERVICES);
    }
}

fn text(what: &str, output: &Output) -> String {
    let text =
        [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes).into_owned()).concat();
    assert!(output.status.success(), "{what} failed:\n{text}");
    text
}
