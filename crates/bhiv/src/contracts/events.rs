//! Events: data that others read, now, from queues, and from producers of the version before.

use std::collections::BTreeSet;

use jsonschema::Validator;
use serde_json::Value;

use super::documents::Documents;
use super::report::{Finding, Report, Severity};
use super::schema::{Change, Effect, Node, changes, escape};
use super::topology::hearers;

/// Who sees events beside the services.
const OUTSIDE: &str = "clients of streams and webhooks";

const BESIDE: &str = "publish the next major version beside it (`.v2`) until nobody binds this one";

/// What changed in the data of each kind of event, and in how it is sent.
pub fn check(old: &Documents, new: &Documents, report: &mut Report) {
    for (key, before) in old.within("events") {
        let contract = Contract { key, file: format!("events/{key}.json"), old, new };
        match new.get(&contract.file) {
            Some(after) => contract.compare(before, after, report),
            None => contract.removed(report),
        }
    }
    headers(old, new, report);
    channels(old, new, report);
}

struct Contract<'a> {
    key: &'a str,
    file: String,
    old: &'a Documents,
    new: &'a Documents,
}

impl Contract<'_> {
    /// Those who hear it, in the version before or now.
    fn consumers(&self) -> Vec<String> {
        let all = [self.old, self.new].into_iter().flat_map(|documents| hearers(documents, self.key));
        let words: BTreeSet<_> = all.map(|hearer| hearer.words).collect();
        words.into_iter().chain([OUTSIDE.to_owned()]).collect()
    }

    fn finding(&self, rule: &'static str, at: &str, what: String) -> Finding {
        Finding {
            severity: Severity::Breaking,
            rule,
            at: format!("{}{at}", self.file),
            what,
            breaks: self.consumers(),
            instead: BESIDE,
            accepted: None,
        }
    }

    fn removed(&self, report: &mut Report) {
        let all = [self.old, self.new].into_iter().flat_map(|documents| hearers(documents, self.key));
        let by_name: BTreeSet<_> = all.filter(|hearer| hearer.by_name).map(|hearer| hearer.words).collect();
        let mut finding = self.finding("contract-removed", "", format!("nobody sends {} any more", self.key));
        finding.instead = "keep sending it until a release in which nobody binds it was deployed";
        if by_name.is_empty() {
            finding.severity = Severity::Note;
            finding.breaks = vec![OUTSIDE.to_owned()];
        } else {
            finding.breaks = by_name.into_iter().collect();
        }
        report.add(finding);
    }

    fn compare(&self, before: &Value, after: &Value, report: &mut Report) {
        let title =
            |schema: &Value| schema.get("title").and_then(Value::as_str).unwrap_or_default().to_owned();
        if title(before) != title(after) {
            let what = format!("its public name was {}, and is {}", title(before), title(after));
            report.add(self.finding("name-changed", "#/title", what));
        }
        let found = changes(&whole(before), &whole(after));
        for change in &found {
            report.add(self.judged(change));
        }
        if !found.iter().any(|change| self.judged(change).severity == Severity::Breaking) {
            self.try_samples(before, after, report);
        }
    }

    /// Readers of today meet data of before, in queues, in dead letters and from producers that were not rolled
    /// out yet; readers of before meet data of today. So whatever is not just one more optional field breaks
    /// one of them.
    fn judged(&self, change: &Change) -> Finding {
        let who = match change.effect {
            Effect::Widens => "the version before of",
            Effect::Narrows => "messages of the version before, in",
            Effect::Alters => "the version before, and messages of it, in",
        };
        let mut finding = self.finding(change.rule, &change.at, change.what.clone());
        // The gentler way for what is most often meant.
        match change.rule {
            "field-required" => {
                finding.instead = "make the field optional, with a default for messages without it";
            }
            // Readers check types, and no limits.
            "limit-tightened" | "fields-closed" => finding.severity = Severity::Note,
            _ => {}
        }
        if let Some(first) = finding.breaks.first_mut() {
            *first = format!("{who} {first}");
        }
        finding
    }

    /// A net below the rules: what was recorded then is read now, and the other way round.
    fn try_samples(&self, before: &Value, after: &Value, report: &mut Report) {
        for (writer, reader, words) in [
            (before, after, "the sample of before is refused by the schema of today"),
            (after, before, "the sample of today is refused by the schema of before"),
        ] {
            for sample in writer.get("examples").and_then(Value::as_array).into_iter().flatten() {
                if let Err(reason) = validate(reader, sample) {
                    report.add(self.finding("sample-refused", "#/examples/0", format!("{words}: {reason}")));
                }
            }
        }
    }
}

fn whole(document: &Value) -> Node<'_> {
    Node { document, schema: document, at: "#".to_owned() }
}

fn validate(schema: &Value, data: &Value) -> Result<(), String> {
    let options = jsonschema::draft202012::options().should_validate_formats(true);
    let validator: Validator = options.build(schema).map_err(|error| error.to_string())?;
    validator.validate(data).map_err(|error| format!("{error} at {}", error.instance_path()))
}

/// Attributes that travel as headers: every consumer reads them.
fn headers(old: &Documents, new: &Documents, report: &mut Report) {
    const PLACE: &str = "#/components/schemas/headers";
    let node = |documents: &Documents| documents.get("asyncapi.json").cloned();
    let (Some(before), Some(after)) = (node(old), node(new)) else { return };
    let (Some(before), Some(after)) = (Node::at(&before, PLACE), Node::at(&after, PLACE)) else { return };
    for change in changes(&before, &after) {
        report.add(of_all(change.rule, &change.at, change.what));
    }
}

/// Where a kind is sent, and how.
fn channels(old: &Documents, new: &Documents, report: &mut Report) {
    let (Some(old), Some(new)) = (old.get("asyncapi.json"), new.get("asyncapi.json")) else { return };
    let Some(channels) = old.get("channels").and_then(Value::as_object) else { return };
    for key in channels.keys() {
        let key = escape(key);
        if new.pointer(&format!("/channels/{key}")).is_none() {
            // Its schema is gone as well, and that is told.
            continue;
        }
        for place in [
            format!("/channels/{key}/address"),
            format!("/channels/{key}/bindings/amqp/exchange"),
            format!("/components/messages/{key}/contentType"),
            format!("/components/messages/{key}/title"),
        ] {
            let (before, after) = (old.pointer(&place), new.pointer(&place));
            if before != after {
                let words = |value: Option<&Value>| value.map_or_else(|| "none".to_owned(), Value::to_string);
                let what = format!("it was {}, and is {}", words(before), words(after));
                report.add(of_all("channel-changed", &format!("#{place}"), what));
            }
        }
    }
}

fn of_all(rule: &'static str, at: &str, what: String) -> Finding {
    Finding {
        severity: Severity::Breaking,
        rule,
        at: format!("asyncapi.json{at}"),
        what,
        breaks: vec!["every consumer".to_owned()],
        instead: "leave it as it is: there is no version of it to put beside",
        accepted: None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const KEY: &str = "crm.lead.created.v1";

    fn schema() -> Value {
        json!({
            "title": "lead_created",
            "type": "object",
            "properties": {
                "lead_id": {"type": "string", "format": "uuid"},
                "status": {"type": "string", "enum": ["new", "lost"]},
                "score": {"type": "integer", "format": "int32", "minimum": 0},
                "items": {"type": "array", "items": {"$ref": "#/$defs/Item"}},
                "owner": {"type": ["string", "null"]},
            },
            "required": ["lead_id", "status"],
            "$defs": {"Item": {"type": "object", "properties": {"sku": {"type": "string"}}, "required": ["sku"]}},
            "examples": [{"lead_id": "01900000-0000-7000-8000-000000000001", "status": "new"}],
        })
    }

    fn documents(schema: Value) -> Documents {
        let queue = json!({"name": "task.q.crm", "exchange": "bhiv.crm", "routing_keys": [KEY]});
        let topology = json!({"service": "task", "queues": [queue]});
        Documents::of([("events/crm.lead.created.v1.json", schema), ("topology/task.json", topology)])
    }

    fn report(old: Value, new: Value) -> Report {
        let mut report = Report::default();
        check(&documents(old), &documents(new), &mut report);
        report
    }

    /// What is found when one place of the schema is another.
    fn found(place: &str, value: Value) -> Vec<(&'static str, Severity)> {
        let mut new = schema();
        let (parent, name) = place.rsplit_once('/').unwrap();
        let parent = new.pointer_mut(parent).unwrap().as_object_mut().unwrap();
        if value.is_null() {
            parent.remove(name)
        } else {
            parent.insert(name.to_owned(), value)
        };
        report(schema(), new).findings.into_iter().map(|one| (one.rule, one.severity)).collect()
    }

    #[test]
    fn what_is_added_and_optional_breaks_nobody() {
        assert_eq!(found("/properties/more", json!({"type": "string"})), []);
        assert_eq!(found("/description", json!("Better words.")), []);
        assert_eq!(found("/$defs/Item/properties/more", json!({"type": "string"})), []);
    }

    #[test]
    fn every_other_change_breaks_a_reader_of_before_or_of_today() {
        for (place, value, rule) in [
            ("/properties/owner", Value::Null, "field-removed"),
            ("/properties/owner/type", json!("string"), "null-removed"),
            ("/properties/lead_id/type", json!(["string", "null"]), "null-added"),
            ("/properties/lead_id/format", json!("date"), "format-changed"),
            ("/properties/score/format", json!("int64"), "format-changed"),
            ("/properties/score/type", json!("number"), "type-changed"),
            ("/properties/score/minimum", json!(-1), "limit-relaxed"),
            ("/properties/status/enum", json!(["new", "lost", "won"]), "value-added"),
            ("/properties/status/enum", json!(["new"]), "value-removed"),
            ("/required", json!(["lead_id"]), "field-optional"),
            ("/required", json!(["lead_id", "status", "owner"]), "field-required"),
            ("/$defs/Item/properties/sku", Value::Null, "field-removed"),
            ("/title", json!("lead_made"), "name-changed"),
        ] {
            assert_eq!(found(place, value), [(rule, Severity::Breaking)], "{place}");
        }
    }

    #[test]
    fn a_new_field_that_is_required_breaks_readers_of_messages_without_it() {
        let mut new = schema();
        new["properties"]["team"] = json!({"type": "string"});
        new["required"] = json!(["lead_id", "status", "team"]);
        let report = report(schema(), new);
        let [finding] = report.findings.as_slice() else { panic!("{report:?}") };
        assert_eq!(finding.at, "events/crm.lead.created.v1.json#/properties/team");
        assert_eq!(finding.breaks, ["messages of the version before, in task (task.q.crm)", OUTSIDE]);
    }

    #[test]
    fn a_limit_that_is_tightened_is_a_note_as_readers_check_none() {
        assert_eq!(found("/properties/score/minimum", json!(1)), [("limit-tightened", Severity::Note)]);
    }

    #[test]
    fn a_kind_is_removed_when_nobody_asked_for_it_and_a_version_beside_is_nothing() {
        let mut removed = Report::default();
        let nothing = Documents::of([("topology/task.json", json!({}))]);
        check(&documents(schema()), &nothing, &mut removed);
        assert_eq!(removed.findings[0].rule, "contract-removed");
        assert_eq!(removed.findings[0].breaks, ["task (task.q.crm)"]);
        assert_eq!(removed.breaking(), 1);

        let unheard = Documents::of([("events/crm.lead.created.v1.json", schema())]);
        let mut removed = Report::default();
        check(&unheard, &nothing, &mut removed);
        assert_eq!(removed.breaking(), 0);

        let both =
            [("events/crm.lead.created.v1.json", schema()), ("events/crm.lead.created.v2.json", json!({}))];
        let mut added = Report::default();
        check(&unheard, &Documents::of(both), &mut added);
        assert_eq!(added.findings, []);
    }

    #[test]
    fn samples_catch_what_no_rule_knows() {
        let mut new = schema();
        new["not"] = json!({"properties": {"status": {"const": "new"}}});
        let report = report(schema(), new);
        assert!(report.findings.iter().all(|finding| finding.rule == "sample-refused"), "{report:?}");
        assert_eq!(report.breaking(), 1, "of before by today; that of today says the same as before");
    }

    #[test]
    fn how_events_are_sent_stays() {
        let document = |exchange: &str, kind: &str| {
            let headers = json!({"type": "object", "properties": {"cloudEvents_id": {"type": kind}}});
            let channel = json!({"address": KEY, "bindings": {"amqp": {"exchange": {"name": exchange}}}});
            let document =
                json!({"channels": {KEY: channel}, "components": {"schemas": {"headers": headers}}});
            Documents::of([("asyncapi.json", document)])
        };
        let rules = |new: &Documents| {
            let mut report = Report::default();
            check(&document("bhiv.crm", "string"), new, &mut report);
            report.findings.into_iter().map(|finding| finding.rule).collect::<Vec<_>>()
        };
        assert_eq!(rules(&document("bhiv.crm", "string")), Vec::<&str>::new());
        assert_eq!(rules(&document("bhiv.sales", "string")), ["channel-changed"]);
        assert_eq!(rules(&document("bhiv.crm", "integer")), ["type-changed"]);
    }
}
