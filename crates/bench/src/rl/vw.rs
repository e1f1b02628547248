//! Vowpal Wabbit, in a process of its own that takes one run a line.

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use super::sets::Set;
use crate::Result;

/// Learning rates that are tried: 2^-4 to 2^4.
pub const RATES: [f64; 9] = [0.0625, 0.125, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0];

/// SquareCB as it comes.
pub const SQUARE_CB: &str = "--squarecb";

/// RegCB-opt with a learning rate.
pub fn reg_cb(rate: f64) -> String {
    format!("--regcbopt --cb_min_cost -1 --cb_max_cost 0 -l {rate}")
}

/// Writes a set in its format. Names are words: numbers would be places, and those of different actions would collide.
pub fn write(file: &Path, set: &Set) -> Result {
    let mut text = String::new();
    for row in &set.rows {
        write!(text, "{} |", row.class + 1)?;
        for (place, value) in row.features.iter().enumerate() {
            write!(text, " f{place}:{value}")?;
        }
        text.push('\n');
    }
    Ok(std::fs::write(file, text)?)
}

/// What came of a run.
#[derive(Clone, Copy, Debug)]
pub struct Run {
    /// The part of the rows whose class was not drawn.
    pub loss: f64,
    /// How long it took, reading included.
    pub seconds: f64,
}

/// It ends with the bench.
#[derive(Debug)]
pub struct Vw {
    process: Child,
    asks: ChildStdin,
    answers: BufReader<ChildStdout>,
    version: String,
}

impl Drop for Vw {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Vw {
    pub fn start(python: &Path, program: &Path) -> Result<Self> {
        let mut process =
            Command::new(python).arg(program).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let asks = process.stdin.take().ok_or("no standard input")?;
        let answers = BufReader::new(process.stdout.take().ok_or("no standard output")?);
        let mut vw = Self { process, asks, answers, version: String::new() };
        vw.version = vw.line()?;
        Ok(vw)
    }

    pub fn version(&self) -> &str {
        &self.version
    }

    /// Decides and learns all rows of a file.
    pub fn run(&mut self, file: &Path, actions: usize, how: &str) -> Result<Run> {
        let bandit = format!("--cbify {actions} --cb_explore_adf --cb_type mtr --loss0 -1 --loss1 0");
        let answer = self.ask(&format!("{bandit} {how} -d {}", file.display()))?;
        let (loss, seconds) = answer.split_once(' ').ok_or("VW said something else")?;
        Ok(Run { loss: loss.parse()?, seconds: seconds.parse()? })
    }

    /// How long it takes only to read a file, in seconds.
    pub fn read(&mut self, file: &Path) -> Result<f64> {
        let answer = self.ask(&format!("--noop -d {}", file.display()))?;
        Ok(answer.split_once(' ').ok_or("VW said something else")?.1.parse()?)
    }

    fn ask(&mut self, arguments: &str) -> Result<String> {
        writeln!(self.asks, "{arguments}")?;
        self.asks.flush()?;
        self.line()
    }

    fn line(&mut self) -> Result<String> {
        let mut line = String::new();
        if self.answers.read_line(&mut line)? == 0 {
            return Err("Vowpal Wabbit has ended".into());
        }
        Ok(line.trim().to_owned())
    }
}
