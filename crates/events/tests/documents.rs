//! The contracts in proto-docs are those of the code.

use std::path::Path;

use bhiv_testing::rules::fresh_json;

#[test]
fn published_event_contracts_are_fresh() {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../proto-docs");
    for entry in bhiv_events::catalog() {
        let file = docs.join(format!("events/{}.json", entry.kind.routing_key));
        fresh_json(&file, bhiv_events::json_schema(&entry));
    }
    fresh_json(&docs.join("asyncapi.json"), bhiv_events::asyncapi());
    let known = bhiv_events::catalog().len();
    let files = std::fs::read_dir(docs.join("events")).map(Iterator::count);
    assert_eq!(files.ok(), Some(known), "proto-docs/events has a file for each event and no other");
}
