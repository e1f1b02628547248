use std::collections::BTreeMap;

use bhiv_auth::Role;
use bhiv_events::core::UnifiedReceived;
use bhiv_events::crm::LeadCreated;
use bhiv_events::rl::LeadScored;
use bhiv_events::{AuditRecorded, Contract as _, Event};
use bhiv_testing::TestApp;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{app, event, ids};

/// A lead, its audit row, a unified event, and at last a score, which was on its way for a while.
struct Memory {
    app: TestApp,
    names: BTreeMap<String, &'static str>,
    story: Uuid,
}

async fn memory() -> Memory {
    let app = app().await;
    let lead = event(&app, 0, "user/asha", &LeadCreated::sample());
    let story = lead.correlationid;
    let audit = event(&app, 0, "user/asha", &AuditRecorded::sample());
    let audit = Event { correlationid: story, ..audit };
    let unified = event(&app, 10, "user/asha", &UnifiedReceived::sample());
    let scored = event(&app, 5, "service/rl", &LeadScored::sample());
    let scored = Event { correlationid: story, causationid: Some(lead.id), ..scored };
    let mut names = BTreeMap::new();
    for (name, event) in [("lead", lead), ("audit", audit), ("unified", unified), ("scored", scored)] {
        app.deliver_twice(&event).await;
        names.insert(event.id.to_string(), name);
    }
    Memory { app, names, story }
}

impl Memory {
    async fn page(&self, query: &str) -> (String, i64, Value) {
        let page = self.app.get(&format!("/logs?{query}")).await.expect(200);
        let names: Vec<_> = ids(&page["logs"]).iter().map(|id| self.names[id]).collect();
        (names.join(" "), page["count"].as_i64().unwrap(), page["next_cursor"].clone())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_has_the_newest_first_and_is_filtered() {
    let memory = memory().await;
    let lead = LeadCreated::sample().subject();
    for (query, found) in [
        ("", "unified scored audit lead"),
        ("type=event", "unified scored lead"),
        ("type=audit", "audit"),
        ("event_type=lead_scored", "scored"),
        ("event_type=lead_lost", ""),
        ("user_id=asha", "audit lead"),
        ("user_id=ravi", "unified"),
        ("task_id=task-42", "unified"),
        (&format!("correlation_id={}", memory.story), "scored audit lead"),
        (&format!("entity={lead}"), "scored audit lead"),
        (&format!("entity={lead}&type=audit"), "audit"),
        ("source=rl", "scored"),
        ("source=logging", ""),
        ("q=VERMA", "lead"),
        ("q=unified_received", "unified"),
        ("q=lead_created", "lead"),
        ("q=lead", "scored audit lead"),
        ("q=lead+-create", "scored lead"),
        ("q=lea*+-(create+OR+scored)", "lead"),
        ("q=%22verma+textiles%22", "lead"),
        ("q=%22textiles+verma%22", ""),
        ("q=nowhere", ""),
        ("since=2026-01-01T00:00:05Z", "unified scored"),
        ("until=2026-01-01T05:30:05%2B05:30", "audit lead"),
        ("since=2026-01-01T00:00:01Z&until=2026-01-01T00:00:10Z", "scored"),
    ] {
        let (names, count, cursor) = memory.page(query).await;
        assert_eq!(names, found, "{query}");
        assert_eq!(count, i64::try_from(found.split_whitespace().count()).unwrap(), "{query}");
        assert_eq!(cursor, json!(null), "{query}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_is_read_in_parts() {
    let memory = memory().await;
    let mut parts = Vec::new();
    let mut query = "limit=1".to_owned();
    loop {
        let (names, count, cursor) = memory.page(&query).await;
        assert_eq!(count, if parts.is_empty() { 4 } else { 5 });
        parts.push(names);
        let Some(cursor) = cursor.as_str() else { break };
        query = format!("limit=1&cursor={cursor}");
        if parts.len() == 1 {
            // It is newer than what was read: nothing may be read twice because of it.
            let event = event(&memory.app, 20, "user/asha", &UnifiedReceived::sample());
            memory.app.deliver_twice(&event).await;
        }
    }
    assert_eq!(parts, ["unified", "scored", "audit", "lead"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_fault_of_a_query_is_listed_at_once() {
    let app = app().await;
    let query = "type=log&limit=0&since=today&correlation_id=7&source=moon&q=&colour=red&cursor=x";
    let problem = app.get(&format!("/logs?{query}")).await.expect_problem(422, "invalid_input");
    let errors = problem["errors"].as_array().unwrap();
    let pointers: Vec<_> = errors.iter().map(|error| error["pointer"].as_str().unwrap()).collect();
    let all = ["?colour", "?correlation_id", "?cursor", "?limit", "?q", "?since", "?source", "?type"];
    assert_eq!(pointers, all);

    // It looks like a cursor, and its time is about 292,000 years from now.
    for path in ["/logs", "/audit"] {
        let cursor = format!("f{}", "_".repeat(31));
        let problem = app.get(&format!("{path}?cursor={cursor}")).await.expect_problem(422, "invalid_input");
        assert_eq!(problem["errors"][0]["pointer"], "?cursor");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_those_who_watch_over_records_may_look() {
    let Memory { mut app, story, names } = memory().await;
    let entry = format!("/logs/{}", names.keys().next().unwrap());
    let story = format!("/logs/story/{story}");
    for path in ["/logs", &entry, "/logs/stats", &story, "/audit"] {
        app.speak_as(Role::Viewer);
        let problem = app.get(path).await.expect_problem(403, "permission_denied");
        assert_eq!(problem["required_permission"], "logging:read");
        app.speak_as(Role::Compliance);
        app.get(path).await.expect(200);
    }
}
