//! What was found, whom it breaks, and what was accepted with a reason.

use comfy_table::presets::UTF8_HORIZONTAL_ONLY;
use comfy_table::{ContentArrangement, Table};
use serde::{Deserialize, Serialize};

use super::documents::Documents;

/// The list of breaking changes that are meant, beside the contracts.
pub const ACCEPTED: &str = "breaking.json";

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Somebody who was there before stops working.
    Breaking,
    /// Worth knowing when it is rolled out.
    Note,
}

/// One thing that was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    pub severity: Severity,
    pub rule: &'static str,
    /// File below `proto-docs/`, and JSON pointer.
    pub at: String,
    pub what: String,
    /// Who stops working, or has to look.
    pub breaks: Vec<String>,
    pub instead: &'static str,
    /// Why it is meant, if somebody accepted it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accepted: Option<String>,
}

/// A breaking change that is meant.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Accepted {
    pub rule: String,
    pub at: String,
    pub reason: String,
}

/// Everything that was found.
#[derive(Debug, Default, Serialize)]
pub struct Report {
    /// What was compared with.
    pub against: String,
    pub findings: Vec<Finding>,
}

impl Report {
    /// Adds what was found; whoever else the same thing breaks joins those that are named already.
    pub fn add(&mut self, finding: Finding) {
        let same = |one: &&mut Finding| {
            (one.severity, one.rule, &one.at, &one.what)
                == (finding.severity, finding.rule, &finding.at, &finding.what)
        };
        match self.findings.iter_mut().find(same) {
            Some(one) => {
                for who in finding.breaks {
                    if !one.breaks.contains(&who) {
                        one.breaks.push(who);
                    }
                }
            }
            None => self.findings.push(finding),
        }
    }

    /// Marks what was accepted. An entry that stands for nothing is a finding of its own, unless `earlier`, the
    /// list of the version that was compared with, has it too: then it has done its duty.
    pub fn accept(&mut self, accepted: &[Accepted], earlier: &[Accepted]) {
        for (index, entry) in accepted.iter().enumerate() {
            let at = format!("{ACCEPTED}#/{index}");
            let mut is_used = false;
            for finding in &mut self.findings {
                if finding.severity == Severity::Breaking
                    && finding.rule == entry.rule
                    && finding.at == entry.at
                {
                    finding.accepted = Some(entry.reason.clone());
                    is_used = true;
                }
            }
            if is_used {
                continue;
            }
            let (severity, what) = if earlier.contains(entry) {
                (Severity::Note, "it is accepted what is not found any more".to_owned())
            } else {
                (Severity::Breaking, format!("nothing is found that is `{}` at {}", entry.rule, entry.at))
            };
            self.findings.push(Finding {
                severity,
                rule: "accepted-unused",
                at,
                what,
                breaks: Vec::new(),
                instead: "remove the entry, or have it say what the finding says",
                accepted: None,
            });
        }
        self.findings.sort_by(|one, other| {
            (one.severity, one.accepted.is_some(), &one.at).cmp(&(
                other.severity,
                other.accepted.is_some(),
                &other.at,
            ))
        });
    }

    /// How many breaking changes nobody accepted.
    pub fn breaking(&self) -> usize {
        let counts = |one: &&Finding| one.severity == Severity::Breaking && one.accepted.is_none();
        self.findings.iter().filter(counts).count()
    }

    /// For people.
    pub fn show(&self) {
        if !self.findings.is_empty() {
            let mut table = Table::new();
            table.load_preset(UTF8_HORIZONTAL_ONLY).set_content_arrangement(ContentArrangement::Dynamic);
            table.set_header(["", "rule and place", "what it is"]);
            for finding in &self.findings {
                let severity = match (&finding.severity, &finding.accepted) {
                    (Severity::Note, _) => "note",
                    (Severity::Breaking, Some(_)) => "accepted",
                    (Severity::Breaking, None) => "BREAKING",
                };
                table.add_row([
                    severity.to_owned(),
                    format!("{}\n{}", finding.rule, finding.at),
                    words(finding),
                ]);
            }
            out!("{table}");
        }
        let accepted = self.findings.iter().filter(|one| one.accepted.is_some()).count();
        let notes = self.findings.iter().filter(|one| one.severity == Severity::Note).count();
        let breaking = self.breaking();
        out!("against {}: {breaking} breaking, {accepted} accepted, {notes} notes", self.against);
    }
}

fn words(finding: &Finding) -> String {
    const NAMED: usize = 4;
    let mut words = finding.what.clone();
    if !finding.breaks.is_empty() {
        let named: Vec<_> = finding.breaks.iter().take(NAMED).map(String::as_str).collect();
        words = format!("{words}\nbreaks {}", named.join("; "));
        if finding.breaks.len() > NAMED {
            words = format!("{words}; and {} more", finding.breaks.len() - NAMED);
        }
    }
    match &finding.accepted {
        Some(reason) => format!("{words}\naccepted: {reason}"),
        None => format!("{words}\ninstead: {}", finding.instead),
    }
}

/// What `documents` accept.
///
/// # Errors
/// When the list cannot be read: then nobody knows what is meant.
pub fn accepted(documents: &Documents) -> Result<Vec<Accepted>, String> {
    let Some(list) = documents.get(ACCEPTED) else { return Ok(Vec::new()) };
    serde_json::from_value(list.clone()).map_err(|error| format!("{ACCEPTED}: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(at: &str, who: &str) -> Finding {
        Finding {
            severity: Severity::Breaking,
            rule: "field-removed",
            at: at.to_owned(),
            what: "gone".to_owned(),
            breaks: vec![who.to_owned()],
            instead: "keep it",
            accepted: None,
        }
    }

    fn entry(at: &str) -> Accepted {
        Accepted { rule: "field-removed".to_owned(), at: at.to_owned(), reason: "nobody reads it".to_owned() }
    }

    #[test]
    fn what_breaks_several_is_told_once() {
        let mut report = Report::default();
        report.add(finding("a#/x", "task"));
        report.add(finding("a#/x", "rl"));
        report.add(finding("a#/x", "rl"));
        assert_eq!(report.findings.len(), 1);
        assert_eq!(report.findings[0].breaks, ["task", "rl"]);
    }

    #[test]
    fn what_is_accepted_breaks_no_build_and_nothing_else_is_accepted_by_it() {
        let mut report = Report::default();
        report.add(finding("a#/x", "task"));
        report.add(finding("a#/y", "task"));
        report.accept(&[entry("a#/x")], &[]);
        assert_eq!(report.breaking(), 1);
    }

    #[test]
    fn an_entry_has_to_stand_for_something_once() {
        let mut report = Report::default();
        report.accept(&[entry("a#/x")], &[]);
        assert_eq!(report.breaking(), 1, "it never did");
        let mut report = Report::default();
        report.accept(&[entry("a#/x")], &[entry("a#/x")]);
        assert_eq!(report.breaking(), 0, "it did");
        assert_eq!(report.findings[0].rule, "accepted-unused");
    }
}
