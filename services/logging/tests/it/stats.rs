use bhiv_events::crm::LeadCreated;
use bhiv_events::rl::LeadScored;
use bhiv_events::{AuditRecorded, Contract as _};
use serde_json::json;

use crate::{app, event};

#[tokio::test(flavor = "multi_thread")]
async fn entries_are_counted_by_kind_and_by_event_type() {
    let app = app().await;
    let empty = json!({"count": 0, "by_kind": {}, "by_event_type": {}});
    assert_eq!(app.get("/logs/stats").await.expect(200), empty);

    for seconds in [0, 10] {
        app.deliver_twice(&event(&app, seconds, "user/asha", &LeadCreated::sample())).await;
        app.deliver_twice(&event(&app, seconds, "user/asha", &AuditRecorded::sample())).await;
    }
    app.deliver_twice(&event(&app, 5, "service/rl", &LeadScored::sample())).await;
    let all = json!({
        "count": 5,
        "by_kind": {"event": 3, "audit": 2},
        "by_event_type": {"lead_created": 2, "audit_recorded": 2, "lead_scored": 1},
    });
    assert_eq!(app.get("/logs/stats").await.expect(200), all);

    let some = json!({
        "count": 3,
        "by_kind": {"event": 2, "audit": 1},
        "by_event_type": {"lead_created": 1, "audit_recorded": 1, "lead_scored": 1},
    });
    let until = app.get("/logs/stats?until=2026-01-01T00:00:10Z").await.expect(200);
    let since = app.get("/logs/stats?since=2026-01-01T00:00:05Z").await.expect(200);
    assert_eq!((&until, &since), (&some, &some));
    app.get("/logs/stats?since=monday").await.expect_problem(422, "invalid_input");
}
