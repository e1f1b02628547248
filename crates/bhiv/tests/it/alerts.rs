//! Alerts that could never fire, because nobody measures what they look at, are worse than none.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use reqwest::Client;

use crate::stack::Stack;

const RULES: &str = "deploy/prometheus/messaging.rules.yml";

/// What operators look at beside the alerts.
const ALSO: [&str; 6] = [
    "outbox_waiting",
    "outbox_published_total",
    "outbox_confirm_seconds_count",
    "inbox_messages_total",
    "inbox_batch_seconds_count",
    "inbox_parked",
];

fn rules() -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(RULES)).unwrap()
}

/// Words of an expression that name metrics: they alone have underscores.
fn metrics(rules: &str) -> BTreeSet<&str> {
    let expressions = rules.lines().filter_map(|line| line.trim().strip_prefix("expr: "));
    let words = expressions.flat_map(|line| line.split(|c: char| !c.is_ascii_alphanumeric() && c != '_'));
    words.filter(|word| word.contains('_')).collect()
}

pub async fn each_metric_of_the_alerts_is_measured(stack: &Stack) {
    let rules = rules();
    let wanted = metrics(&rules);
    assert!(wanted.len() >= 8, "{wanted:?}");
    for service in ["crm", "logging"] {
        let page = text(&format!("{}/metrics", stack.url(service))).await;
        // The logging service publishes next to nothing, so not every histogram has begun there.
        let also = ALSO.iter().filter(|_| service == "crm");
        for name in wanted.iter().chain(also).filter(|name| !name.starts_with("rabbitmq_")) {
            assert!(has(&page, name), "{service} does not measure {name}:\n{page}");
        }
    }
    let page = text("http://127.0.0.1:27004/metrics/detailed?family=queue_coarse_metrics").await;
    for name in wanted.iter().filter(|name| name.starts_with("rabbitmq_")) {
        assert!(has(&page, name), "RabbitMQ does not measure {name}:\n{page}");
    }
}

fn has(page: &str, name: &str) -> bool {
    page.lines().any(|line| line.strip_prefix(name).is_some_and(|rest| rest.starts_with(['{', ' '])))
}

async fn text(url: &str) -> String {
    let client = Client::builder().no_proxy().build().unwrap();
    client.get(url).send().await.unwrap().text().await.unwrap()
}

#[test]
fn each_alert_says_how_bad_it_is_and_what_to_do() {
    let rules = rules();
    let alerts: Vec<_> = rules.split("- alert: ").skip(1).collect();
    assert!(alerts.len() >= 8);
    for alert in alerts {
        for part in ["expr: ", "severity: ", "summary: ", "description: "] {
            assert!(alert.contains(part), "no {part}in {alert}");
        }
    }
}
