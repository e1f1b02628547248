use std::io::IsTerminal as _;
use std::time::Duration;

use comfy_table::Table;
use comfy_table::presets::UTF8_HORIZONTAL_ONLY;
use serde_json::Value;

use super::client::{Answer, Client};

/// What the user sees: each step while it happens, and a table at the end.
#[derive(Debug)]
pub struct Report {
    quiet: bool,
    colours: bool,
    rows: Vec<Row>,
}

#[derive(Debug)]
struct Row {
    step: String,
    effects: Vec<String>,
    answered: Duration,
    settled: Option<Duration>,
}

impl Report {
    pub fn new(quiet: bool) -> Self {
        Self { quiet, colours: std::io::stdout().is_terminal(), rows: Vec::new() }
    }

    pub fn begin(&self, client: &Client) {
        if !self.quiet {
            out!("gateway {}, story {}", client.url, client.story);
        }
    }

    /// A step begins.
    pub fn step(&mut self, title: &str) {
        let step = format!("{} {title}", self.rows.len() + 1);
        if !self.quiet {
            out!("\n{}", self.paint("1", &step));
        }
        let (effects, answered) = (Vec::new(), Duration::ZERO);
        self.rows.push(Row { step, effects, answered, settled: None });
    }

    pub fn request(&self, method: &str, path: &str, body: Option<&Value>) {
        if !self.quiet {
            let body = body.map_or_else(String::new, short);
            out!("  > {method} {path} {body}");
        }
    }

    pub fn answer(&mut self, answer: &Answer, took: Duration) {
        if let Some(row) = self.rows.last_mut() {
            row.answered += took;
        }
        if !self.quiet {
            let line = format!("  < {} {}", answer.status.as_u16(), short(&answer.body));
            out!("{line}\n    {}", self.paint("2", &format!("trace {}", answer.trace)));
        }
    }

    /// An effect arrived, that long after the request was sent.
    pub fn effect(&mut self, name: &str, detail: &str, after: Duration) {
        if let Some(row) = self.rows.last_mut() {
            row.effects.push(name.to_owned());
            row.settled = Some(row.settled.map_or(after, |before| before.max(after)));
        }
        if !self.quiet {
            let tick = self.paint("32", "✓");
            out!("    {tick} {name:<24} {detail} ({:.0} ms)", after.as_secs_f64() * 1000.0);
        }
    }

    /// An effect did not arrive.
    pub fn missing(&self, name: &str) {
        out!("    {} {name} did not arrive", self.paint("31", "✗"));
    }

    pub fn table(&self) {
        let mut table = Table::new();
        table.load_preset(UTF8_HORIZONTAL_ONLY).set_header([
            "step",
            "effects",
            "answer ms",
            "all effects ms",
        ]);
        for row in &self.rows {
            let millis = |duration: Duration| format!("{:.0}", duration.as_secs_f64() * 1000.0);
            let effects = wrapped(&row.effects);
            let settled = row.settled.map_or_else(|| "-".to_owned(), millis);
            table.add_row([row.step.clone(), effects, millis(row.answered), settled]);
        }
        out!("\n{table}");
    }

    fn paint(&self, code: &str, text: &str) -> String {
        if self.colours { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}

/// Three to a line.
fn wrapped(effects: &[String]) -> String {
    let lines: Vec<_> = effects.chunks(3).map(|line| line.join(", ")).collect();
    lines.join("\n")
}

fn short(body: &Value) -> String {
    const MOST: usize = 160;
    let text = body.to_string();
    if text.chars().count() <= MOST {
        return text;
    }
    text.chars().take(MOST).chain(['…']).collect()
}
