use bhiv_events::crm::LeadCreated;
use bhiv_events::{AuditRecorded, Contract as _};
use serde_json::json;

use crate::{app, event, ids};

#[tokio::test(flavor = "multi_thread")]
async fn audit_rows_are_filtered_and_paged() {
    let app = app().await;
    let mut audits = Vec::new();
    for (seconds, actor, action, entity) in [
        (1, "user/asha", "lead.create", "lead/1"),
        (2, "user/ravi", "lead.update", "lead/1"),
        (3, "service/task", "task.create", "task/9"),
    ] {
        let (action, entity) = (action.to_owned(), entity.to_owned());
        let audit = event(&app, seconds, actor, &AuditRecorded { action, entity, ..AuditRecorded::sample() });
        app.deliver_twice(&audit).await;
        audits.push(audit.id.to_string());
    }
    app.deliver_twice(&event(&app, 4, "user/asha", &LeadCreated::sample())).await;
    let [first, second, third] = <[String; 3]>::try_from(audits).unwrap();

    for (query, found) in [
        ("", vec![&third, &second, &first]),
        ("entity=lead/1", vec![&second, &first]),
        ("action=lead.update", vec![&second]),
        ("action=lead.delete", vec![]),
        ("actor=user/asha", vec![&first]),
        ("actor=service/task", vec![&third]),
        ("user_id=ravi", vec![&second]),
        ("since=2026-01-01T00:00:02Z&until=2026-01-01T00:00:03Z", vec![&second]),
    ] {
        let page = app.get(&format!("/audit?{query}")).await.expect(200);
        assert_eq!(ids(&page["logs"]).iter().collect::<Vec<_>>(), found, "{query}");
        assert_eq!(page["count"], json!(found.len()), "{query}");
    }

    let page = app.get("/audit?limit=2").await.expect(200);
    assert_eq!((ids(&page["logs"]), &page["count"]), (vec![third, second], &json!(3)));
    let rest = format!("/audit?limit=2&cursor={}", page["next_cursor"].as_str().unwrap());
    let rest = app.get(&rest).await.expect(200);
    assert_eq!((ids(&rest["logs"]), &rest["next_cursor"]), (vec![first], &json!(null)));
}
