//! Who hears what, and what becomes of it while a service is rolled out.

use std::collections::BTreeMap;

use serde_json::Value;

use super::documents::Documents;
use super::report::{Finding, Report, Severity};
use super::schema::escape;

/// The queues of every service that a routing key comes to: `task (task.q.crm)`.
pub fn hearers(documents: &Documents, routing_key: &str) -> Vec<Hearer> {
    let mut found = Vec::new();
    for (service, topology) in documents.within("topology") {
        for queue in queues(topology) {
            for key in queue.keys().filter(|key| matches(key, routing_key)) {
                let name = queue.name();
                let hearer = Hearer { words: format!("{service} ({name})"), by_name: key == routing_key };
                if !found.contains(&hearer) {
                    found.push(hearer);
                }
            }
        }
    }
    found
}

/// A queue that a kind of event comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hearer {
    pub words: String,
    /// Whether it asked for this very kind, and not for everything.
    pub by_name: bool,
}

/// Whether a binding of a topic exchange lets a routing key through.
fn matches(binding: &str, key: &str) -> bool {
    fn words(binding: &[&str], key: &[&str]) -> bool {
        match (binding.split_first(), key.split_first()) {
            (Some((&"#", rest)), _) => {
                words(rest, key) || key.split_first().is_some_and(|(_, key)| words(binding, key))
            }
            (Some((&"*", binding)), Some((_, key))) => words(binding, key),
            (Some((one, binding)), Some((other, key))) => one == other && words(binding, key),
            (None, None) => true,
            _ => false,
        }
    }
    words(&binding.split('.').collect::<Vec<_>>(), &key.split('.').collect::<Vec<_>>())
}

#[derive(Clone, Copy)]
struct Queue<'a>(&'a Value);

impl<'a> Queue<'a> {
    fn name(self) -> &'a str {
        self.0.get("name").and_then(Value::as_str).unwrap_or_default()
    }

    fn keys(self) -> impl Iterator<Item = &'a str> {
        let keys = self.0.get("routing_keys").and_then(Value::as_array).into_iter().flatten();
        keys.filter_map(Value::as_str)
    }

    /// What it is declared with: everything but its bindings.
    fn arguments(self) -> BTreeMap<&'a str, &'a Value> {
        let fields = self.0.as_object().into_iter().flatten();
        fields
            .map(|(name, value)| (name.as_str(), value))
            .filter(|(name, _)| *name != "routing_keys")
            .collect()
    }
}

fn queues(topology: &Value) -> impl Iterator<Item = Queue<'_>> {
    topology.get("queues").and_then(Value::as_array).into_iter().flatten().map(Queue)
}

/// What changed in the topology of each service.
pub fn check(old: &Documents, new: &Documents, report: &mut Report) {
    for (service, before) in old.within("topology") {
        let file = format!("topology/{service}.json");
        match new.get(&file) {
            Some(after) => Service { name: service, file: &file, report }.compare(before, after),
            None => report.add(Finding {
                severity: Severity::Breaking,
                rule: "service-removed",
                at: file,
                what: format!("{service} is gone, and its queues stay and fill"),
                breaks: vec![
                    "every producer that it heard: a queue that is full refuses what is published".into(),
                ],
                instead: "delete its queues at the broker, and accept this with a reason",
                accepted: None,
            }),
        }
    }
}

struct Service<'a> {
    name: &'a str,
    file: &'a str,
    report: &'a mut Report,
}

impl Service<'_> {
    fn compare(&mut self, before: &Value, after: &Value) {
        for (field, who) in [
            ("exchange", "everybody who binds it, and publishers of the version before"),
            ("dead_letters", "operators: what lies in the queue of before is not looked at any more"),
            ("service", "the version before: rights, queues and policies are named after it"),
        ] {
            if before.get(field) != after.get(field) {
                let words = |value: Option<&Value>| value.map_or_else(|| "none".to_owned(), Value::to_string);
                let what = format!("it was {}, and is {}", words(before.get(field)), words(after.get(field)));
                self.breaking("topology-renamed", field, what, who.to_owned(), "keep the name");
            }
        }
        for (index, queue) in queues(before).enumerate() {
            match queues(after).enumerate().find(|(_, other)| other.name() == queue.name()) {
                Some((place, other)) => self.compare_queue(queue, other, place, after),
                None => self.breaking(
                    "queue-removed",
                    &format!("queues/{index}"),
                    format!("the queue {} is gone here, and stays at the broker", queue.name()),
                    format!(
                        "{} of the version before, which reads it, and its producers, whom it refuses once it is full",
                        self.name
                    ),
                    "keep it; when no version reads it any more, delete it at the broker and accept this with a reason",
                ),
            }
        }
    }

    fn compare_queue(&mut self, before: Queue<'_>, after: Queue<'_>, place: usize, topology: &Value) {
        let name = before.name();
        if before.arguments() != after.arguments() {
            self.breaking(
                "queue-changed",
                &format!("queues/{place}"),
                format!("the queue {name} is declared otherwise"),
                format!("the setup of {}: RabbitMQ changes no queue that is there", self.name),
                "declare a queue of another name beside it",
            );
        }
        for key in before.keys().filter(|key| !after.keys().any(|other| other == *key)) {
            let elsewhere = queues(topology).find(|queue| queue.keys().any(|other| other == key));
            if let Some(queue) = elsewhere {
                let what = format!("{key} comes to {} now, and not to {name}", queue.name());
                self.note("binding-moved", place, what);
                continue;
            }
            self.breaking(
                "binding-removed",
                &format!("queues/{place}/{}", escape(key)),
                format!("{key} does not come to {name} any more"),
                format!(
                    "{} of the version before: it misses these until it is gone, and after a rollback",
                    self.name
                ),
                "first release a version that does nothing with them, then one that does not bind them",
            );
        }
        for key in after.keys().filter(|key| !before.keys().any(|other| other == *key)) {
            if !before.keys().any(|binding| matches(binding, key)) {
                self.note("binding-added", place, format!("{key} comes to {name} as soon as it is set up"));
            }
        }
    }

    fn breaking(
        &mut self,
        rule: &'static str,
        place: &str,
        what: String,
        who: String,
        instead: &'static str,
    ) {
        self.report.add(Finding {
            severity: Severity::Breaking,
            rule,
            at: format!("{}#/{place}", self.file),
            what,
            breaks: vec![who],
            instead,
            accepted: None,
        });
    }

    fn note(&mut self, rule: &'static str, place: usize, what: String) {
        self.report.add(Finding {
            severity: Severity::Note,
            rule,
            at: format!("{}#/queues/{place}", self.file),
            what,
            breaks: vec![format!("{} of the version before, which does not know them there", self.name)],
            instead: "after the rollout or a rollback put back what became a dead letter: `bhiv dlq redrive`",
            accepted: None,
        });
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn topology(queues: Value) -> Documents {
        let topology =
            json!({"service": "task", "exchange": "bhiv.task", "dead_letters": "task.dlq", "queues": queues});
        Documents::of([("topology/task.json", topology)])
    }

    fn found(old: Value, new: Value) -> Vec<(&'static str, Severity)> {
        let mut report = Report::default();
        check(&topology(old), &topology(new), &mut report);
        report.findings.into_iter().map(|finding| (finding.rule, finding.severity)).collect()
    }

    fn queue(name: &str, keys: &[&str]) -> Value {
        json!({"name": name, "exchange": "bhiv.crm", "routing_keys": keys})
    }

    #[test]
    fn bindings_are_those_of_topic_exchanges() {
        for binding in
            ["#", "crm.#", "crm.*.created.v1", "crm.lead.created.v1", "#.v1", "crm.lead.created.v1.#"]
        {
            assert!(matches(binding, "crm.lead.created.v1"), "{binding}");
        }
        for binding in ["crm.*", "crm.lead.created.v2", "crm.lead.created", "#.v2", "*"] {
            assert!(!matches(binding, "crm.lead.created.v1"), "{binding}");
        }
    }

    #[test]
    fn who_hears_an_event_is_known_with_the_queue() {
        let documents = topology(json!([queue("task.q.crm", &["#", "crm.lead.created.v1"])]));
        let hearers = hearers(&documents, "crm.lead.created.v1");
        assert_eq!(hearers.len(), 2);
        assert!(hearers.iter().all(|hearer| hearer.words == "task (task.q.crm)"));
        assert!(hearers.iter().any(|hearer| hearer.by_name));
    }

    #[test]
    fn a_queue_stays_and_is_declared_as_it_was() {
        let one = || queue("task.q.crm", &["a.b"]);
        assert_eq!(found(json!([one()]), json!([])), [("queue-removed", Severity::Breaking)]);
        let mut other = one();
        other["exchange"] = json!("bhiv.rl");
        assert_eq!(found(json!([one()]), json!([other.clone()])), [("queue-changed", Severity::Breaking)]);
        let mut other = one();
        other["arguments"] = json!({"x-queue-type": "classic"});
        assert_eq!(found(json!([one()]), json!([other])), [("queue-changed", Severity::Breaking)]);
        assert_eq!(found(json!([one()]), json!([queue("task.q.rl", &[]), one()])), [], "another beside it");
    }

    #[test]
    fn a_binding_that_goes_is_missed_and_one_that_comes_is_told() {
        let with = |keys: &[&str]| json!([queue("task.q.crm", keys)]);
        assert_eq!(found(with(&["a", "b"]), with(&["a"])), [("binding-removed", Severity::Breaking)]);
        assert_eq!(found(with(&["a"]), with(&["a", "b"])), [("binding-added", Severity::Note)]);
        assert_eq!(found(with(&["#"]), with(&["#", "b"])), [], "it came before as well");
        let moved = json!([queue("task.q.crm", &["a"]), queue("task.q.crm.lane", &["b"])]);
        assert_eq!(found(with(&["a", "b"]), moved), [("binding-moved", Severity::Note)]);
    }

    #[test]
    fn names_of_exchange_and_dead_letters_stay() {
        let old = topology(json!([]));
        let mut new =
            json!({"service": "task", "exchange": "bhiv.tasks", "dead_letters": "task.dead", "queues": []});
        let mut report = Report::default();
        check(&old, &Documents::of([("topology/task.json", new.clone())]), &mut report);
        assert_eq!(report.breaking(), 2);
        new = json!({});
        let mut report = Report::default();
        check(&old, &Documents::of([("topology/other.json", new)]), &mut report);
        assert_eq!(report.findings[0].rule, "service-removed");
    }
}
