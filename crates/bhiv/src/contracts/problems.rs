//! Problem codes, which clients decide by.

use std::collections::BTreeMap;

use serde_json::Value;

use super::documents::Documents;
use super::report::{Finding, Report, Severity};

/// Which codes are gone, or come with another status.
pub fn check(old: &Documents, new: &Documents, report: &mut Report) {
    for (service, before) in old.within("problems") {
        let file = format!("problems/{service}.json");
        let after = new.get(&file).map(statuses).unwrap_or_default();
        for (code, status) in statuses(before) {
            let (rule, what) = match after.get(code) {
                Some(other) if *other == status => continue,
                Some(other) => {
                    ("code-changed", format!("`{code}` came with {status}, and comes with {other}"))
                }
                None => ("code-removed", format!("`{code}` ({status}) is not answered any more")),
            };
            report.add(Finding {
                severity: Severity::Breaking,
                rule,
                at: format!("{file}#{code}"),
                what,
                breaks: vec![format!("clients of the gateway that decide by the code `{code}` of {service}")],
                instead: "keep the code; a finer one stands beside it as a member of its own",
                accepted: None,
            });
        }
    }
}

fn statuses(document: &Value) -> BTreeMap<&str, u64> {
    let codes = document.get("codes").and_then(Value::as_array).into_iter().flatten();
    codes.filter_map(|code| Some((code.get("code")?.as_str()?, code.get("status")?.as_u64()?))).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn documents(codes: &[(&str, u16)]) -> Documents {
        let codes: Vec<_> =
            codes.iter().map(|(code, status)| json!({"code": code, "status": status})).collect();
        Documents::of([("problems/crm.json", json!({"codes": codes}))])
    }

    #[test]
    fn a_code_stays_and_so_does_its_status() {
        let found = |old: &[(&str, u16)], new: &[(&str, u16)]| {
            let mut report = Report::default();
            check(&documents(old), &documents(new), &mut report);
            report.findings.into_iter().map(|finding| finding.rule).collect::<Vec<_>>()
        };
        assert_eq!(found(&[("taken", 409)], &[("taken", 409), ("gone", 410)]), Vec::<&str>::new());
        assert_eq!(found(&[("taken", 409)], &[("taken", 422)]), ["code-changed"]);
        assert_eq!(found(&[("taken", 409)], &[]), ["code-removed"]);
    }
}
