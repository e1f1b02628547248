//! A report for people: a table for spreadsheets, and a page.

use chrono::{DateTime, Utc};
use minijinja::{Environment, context};
use serde::Serialize;

use crate::store::report::AuditReport;

/// Some counts.
#[derive(Debug, Serialize)]
struct Table {
    /// Short, as it stands in the first column of the table for spreadsheets.
    #[serde(skip)]
    section: &'static str,
    title: &'static str,
    what: &'static str,
    rows: Vec<(String, i64)>,
}

fn tables(report: &AuditReport) -> Vec<Table> {
    let named =
        |rows: &[(&str, i64)]| rows.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect();
    let counted = |rows: &std::collections::BTreeMap<String, i64>| rows.clone().into_iter().collect();
    let (checks, consents, duties) = (&report.checks, &report.consents, &report.duties);
    let verdicts =
        [("compliant", checks.compliant), ("violation", checks.violation), ("total", checks.total)];
    let said = [
        ("granted", consents.granted),
        ("refused", consents.refused),
        ("withdrawn", consents.withdrawn),
        ("expired", consents.expired),
        ("persons", consents.subjects),
    ];
    let done = [
        ("received", duties.received),
        ("fulfilled", duties.fulfilled),
        ("refused", duties.refused),
        ("open", duties.open),
        ("late", duties.late),
    ];
    vec![
        Table {
            section: "checks",
            title: "Events that were judged",
            what: "Verdict",
            rows: named(&verdicts),
        },
        Table {
            section: "checks_by_event_type",
            title: "What they were",
            what: "Event",
            rows: counted(&checks.by_event_type),
        },
        Table {
            section: "violations_by_rule",
            title: "Rules that were broken",
            what: "Rule",
            rows: counted(&report.violations_by_rule),
        },
        Table { section: "consents", title: "What persons said", what: "They", rows: named(&said) },
        Table {
            section: "duties",
            title: "Requests of persons, and breaches",
            what: "They were",
            rows: named(&done),
        },
    ]
}

/// `section,name,count`, a line for each count (RFC 4180).
///
/// # Errors
/// When it cannot be written, which memory always can.
pub fn csv(report: &AuditReport) -> Result<String, csv::Error> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(["section", "name", "count"])?;
    for table in tables(report) {
        for (name, count) in &table.rows {
            writer.write_record([table.section, name, &count.to_string()])?;
        }
    }
    let bytes = writer.into_inner().map_err(csv::IntoInnerError::into_error)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// A page.
///
/// # Errors
/// When the template is none: a mistake of ours, which a test would find.
pub fn html(report: &AuditReport, controller: &str, now: DateTime<Utc>) -> Result<String, minijinja::Error> {
    let mut environment = Environment::new();
    environment.add_template("report.html", include_str!("report.html"))?;
    let now = now.format("%Y-%m-%d %H:%M UTC").to_string();
    let (start_date, end_date) = (report.start_date.to_string(), report.end_date.to_string());
    let tables = tables(report);
    environment
        .get_template("report.html")?
        .render(context! { controller, now, start_date, end_date, tables })
}
