use chrono::TimeDelta;
use serde_json::json;

use crate::{app, lead, path};

#[tokio::test(flavor = "multi_thread")]
async fn the_pipeline_is_counted_from_what_happened() {
    let app = app().await;
    assert_eq!(app.get("/crm/pipeline").await.expect(200)["win_rate"], json!(null), "nothing was decided");
    let lead = lead(&app).await;
    let mut all = Vec::new();
    for (value, owner) in [(100, "ravi"), (300, "ravi"), (50, "asha"), (40, "asha")] {
        let new = json!({"lead_id": lead["id"], "value": value, "owner": owner});
        all.push(app.post("/crm/opportunities", new).await.expect(201));
    }
    let stage = async |index: usize, stage: &str| {
        app.put(&format!("{}/stage", path("opportunities", &all[index])), json!({"stage": stage}))
            .await
            .expect(200)
    };
    app.clock.advance(TimeDelta::days(2));
    stage(0, "won").await;
    stage(1, "lost").await;
    app.clock.advance(TimeDelta::days(2));
    stage(2, "proposal").await;
    app.clock.advance(TimeDelta::days(1));
    let report = app.get("/crm/pipeline").await.expect(200);
    assert_eq!((&report["won"], &report["lost"], &report["win_rate"]), (&json!(1), &json!(1), &json!(0.5)));
    let stages: Vec<_> = report["stages"].as_array().unwrap().iter().map(|it| it["stage"].clone()).collect();
    assert_eq!(stages, ["qualification", "proposal", "won", "lost"], "in the order of the pipeline");
    assert_eq!(
        (&report["stages"][0]["value"], &report["stages"][0]["weighted_value"]),
        (&json!("40"), &json!("8.00"))
    );
    let time = &report["time_in_stage"][0];
    assert_eq!((&time["stage"], &time["left"]), (&json!("qualification"), &json!(3)));
    assert!((time["mean_days"].as_f64().unwrap() - 8.0 / 3.0).abs() < 1e-6);
    assert!((time["median_days"].as_f64().unwrap() - 2.0).abs() < 1e-6);
    let decided = &report["decided"][0];
    assert_eq!((&decided["owner"], &decided["won_value"]), (&json!("ravi"), &json!("100")));

    let ashas = app.get("/crm/pipeline?owner=asha&by=week").await.expect(200);
    assert_eq!((&ashas["won"], &ashas["decided"]), (&json!(0), &json!([])));
    let before = (app.clock.now() - TimeDelta::days(4)).to_rfc3339().replace('+', "%2B");
    let early = app.get(&format!("/crm/pipeline?until={before}")).await.expect(200);
    assert_eq!((&early["won"], &early["time_in_stage"]), (&json!(0), &json!([])));
}
