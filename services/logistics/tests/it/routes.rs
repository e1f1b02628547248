use bhiv_testing::TestApp;
use chrono::TimeDelta;
use logistics::{Config, Logistics};
use serde_json::{Value, json};

use crate::{NOBODY, app, move_delivery, move_order, order, path};

const DEPOT: (f64, f64) = (26.9124, 75.7873);

fn quick() -> Config {
    Config { plan_check_ms: 20, ..Config::default() }
}

async fn courier(app: &TestApp, name: &str, capacity: i32) -> Value {
    let new = json!({"name": name, "capacity": capacity, "shift": {"from": "09:00", "to": "17:00"},
                     "cost_per_km": "10", "cost_per_hour": "120"});
    app.post("/logistics/couriers", new).await.expect(201)
}

/// A delivery, so many kilometres east of the depot, between these hours.
async fn parcel(app: &TestApp, east: f64, window: Option<(&str, &str)>, load: i32) -> Value {
    let order = &order(app).await;
    move_order(app, order, "approved").await;
    let location = json!({"lat": DEPOT.0, "lon": DEPOT.1 + east / 99.2});
    let window = window.map(|(from, to)| json!({"from": from, "to": to}));
    let new = json!({"order_id": order["id"], "delivery_date": "2027-02-01", "address": "1 Station Road",
                     "location": location, "window": window, "load": load});
    app.post("/logistics/delivery", new).await.expect(201)
}

fn ask() -> Value {
    json!({"day": "2027-02-01", "depot": {"lat": DEPOT.0, "lon": DEPOT.1}, "max_seconds": 2})
}

async fn planned(app: &TestApp, ask: Value) -> Value {
    let answer = app.post("/logistics/routes/plan", ask).await;
    let location = answer.headers.get("location").unwrap().to_str().unwrap().to_owned();
    let queued = &answer.expect(202);
    assert_eq!(queued["status"], "queued");
    app.eventually(async || {
        let plan = app.get(&location).await.expect(200);
        let status = plan.get("status").unwrap().as_str().unwrap();
        (!["queued", "running"].contains(&status)).then_some(plan)
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_is_planned_and_its_deliveries_get_their_couriers() {
    let app = TestApp::start::<Logistics>(quick()).await;
    let courier = courier(&app, "Ravi", 4).await;
    let late = parcel(&app, 2.0, Some(("14:00", "16:00")), 1).await;
    let early = parcel(&app, 6.0, Some(("09:00", "10:00")), 1).await;
    let heavy = parcel(&app, 1.0, None, 5).await;
    let closed = parcel(&app, 3.0, Some(("05:00", "08:00")), 1).await;
    let far = parcel(&app, 500.0, None, 1).await;
    let nowhere = crate::delivery(&app, &order(&app).await).await;
    let plan = planned(&app, ask()).await;
    assert_eq!(
        (&plan["status"], &plan["progress"], &plan["attempts"]),
        (&json!("done"), &json!(100), &json!(1))
    );

    let routes = plan["result"]["routes"].as_array().unwrap();
    let [route] = routes.as_slice() else { panic!("{routes:?}") };
    assert_eq!((&route["courier_id"], &route["load"]), (&courier["id"], &json!(2)));
    let stops: Vec<_> = route["stops"].as_array().unwrap().iter().map(|stop| &stop["delivery_id"]).collect();
    assert_eq!(stops, [&early["id"], &late["id"]], "the windows decide");
    assert_eq!(route["stops"][1]["leaves"], "14:05:00");
    // There and back, 1.4 times as far as the crow flies, at 30 km/h.
    let distance = route["distance_km"].as_f64().unwrap();
    assert!((distance - 2.0 * 6.0 * 1.4).abs() < 0.05, "{distance}");
    assert_eq!(route["departs"], "09:00:00");
    let arrives = route["stops"][0]["arrives"].as_str().unwrap();
    assert!(arrives.starts_with("09:16:") || arrives.starts_with("09:17:"), "{arrives}");
    let cost = route["cost"].as_f64().unwrap();
    // To the second parcel's door, at which it is two o'clock, and home: 5.18 hours.
    assert!((cost - distance * 10.0 - 120.0 * (5.0 + 5.0 / 60.0 + 2.8 / 30.0)).abs() < 1.0, "{cost}");
    let mut left: Vec<_> = plan["result"]["unassigned"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| (row["delivery_id"].clone(), row["reason"].as_str().unwrap()))
        .collect();
    left.sort_by_key(|(_, reason)| *reason);
    let mut expected = [
        (nowhere["id"].clone(), "no_location"),
        (closed["id"].clone(), "time"),
        (far["id"].clone(), "time"),
        (heavy["id"].clone(), "too_large"),
    ];
    left[1..3].sort_by_key(|(id, _)| id.to_string());
    expected[1..3].sort_by_key(|(id, _)| id.to_string());
    assert_eq!(left, expected);

    // One has left meanwhile: it stays as it is.
    move_delivery(&app, &late, "in_transit").await;
    let applied = app.post(&format!("{}/apply", path("routes", &plan)), json!({})).await.expect(200);
    assert_eq!(
        (&applied["assigned"], &applied["changed_since"]),
        (&json!([early["id"]]), &json!([late["id"]]))
    );
    assert_eq!(applied["plan"]["status"], "applied");
    let given = app.get(&path("delivery", &early)).await.expect(200);
    assert_eq!((&given["courier_id"], &given["eta"]), (&courier["id"], &route["stops"][0]["arrives"]));
    let of = format!("/logistics/delivery?courier_id={}", courier["id"].as_str().unwrap());
    assert_eq!(app.get(&of).await.expect(200)["items"], json!([given]));
    let again = app.post(&format!("{}/apply", path("routes", &plan)), json!({})).await;
    again.expect_problem(409, "illegal_transition");
    let listed = app.get("/logistics/routes?status=applied&sort=created_at").await.expect(200);
    assert_eq!((&listed["total"], &listed["items"][0]["id"]), (&json!(1), &plan["id"]));
    let audited = app.audited().await;
    assert_eq!(audited.iter().filter(|action| *action == "delivery.assign").count(), 1);
    let rows = app.recorded().await;
    let row = rows.iter().find(|event| event.data["action"] == "route_plan.apply").unwrap();
    let told = &row.data["after"]["result"];
    assert_eq!((&told["stops"], &told["unassigned"], &told["routes"]), (&json!(2), &json!(4), &Value::Null));
    assert_eq!(
        told["sha256"].as_str().unwrap().len(),
        64,
        "the audit row has no routes, but recognises them"
    );
    let history = app.get(&format!("{}/history", path("routes", &plan))).await.expect(200);
    let moved = &history["items"][1]["changes"]["result"]["after"];
    assert_eq!(moved, &plan["result"], "the history has them");

    // Who is told to come another day is not there at that hour any more.
    let moved =
        app.patch(&path("delivery", &early), json!({"delivery_date": "2027-02-02"})).await.expect(200);
    assert_eq!((&moved["eta"], &moved["courier_id"]), (&Value::Null, &courier["id"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_is_refused_when_nothing_could_come_of_it() {
    let app = app().await;
    app.post("/logistics/routes/plan", ask()).await.expect_problem(409, "no_couriers");
    let courier = courier(&app, "Ravi", 1).await;
    let mut old = ask();
    old["day"] = json!("2026-02-01");
    let problem = app.post("/logistics/routes/plan", old).await.expect_problem(422, "date_in_the_past");
    assert_eq!(problem["errors"][0]["pointer"], "/day");
    let mut strange = ask();
    strange["courier_ids"] = json!([courier["id"], NOBODY]);
    let problem = app.post("/logistics/routes/plan", strange).await;
    assert_eq!(problem.expect_problem(422, "unknown_reference")["errors"][0]["pointer"], "/courier_ids/1");
    let bad = json!({"day": "x", "depot": {"lat": 91, "lon": 0}, "speed_kmh": 0, "detour": 0.5,
                     "service_minutes": -1, "max_seconds": 0, "courier_ids": [], "colour": 1});
    let problem = app.post("/logistics/routes/plan", bad).await.expect_problem(422, "invalid_input");
    assert_eq!(problem["errors"].as_array().unwrap().len(), 8, "{problem}");
    app.get(&format!("/logistics/routes/{NOBODY}")).await.expect_problem(404, "not_found");
    app.post(&format!("/logistics/routes/{NOBODY}/apply"), json!({})).await.expect_problem(404, "not_found");
    app.post(&format!("/logistics/routes/{NOBODY}/cancel"), json!({})).await.expect_problem(404, "not_found");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_wants_any_more_is_not_planned_and_the_rest_by_any_replica() {
    let app = TestApp::start::<Logistics>(Config { plan_check_ms: 0, ..Config::default() }).await;
    courier(&app, "Ravi", 1).await;
    let unwanted = app.post("/logistics/routes/plan", ask()).await.expect(202);
    let wanted = app.post("/logistics/routes/plan", ask()).await.expect(202);
    let cancel = format!("{}/cancel", path("routes", &unwanted));
    assert_eq!(app.post(&cancel, json!({})).await.expect(200)["status"], "cancelled");
    let refused = app.post(&cancel, json!({})).await.expect_problem(409, "illegal_transition");
    assert_eq!(refused["allowed"], json!([]));

    let _other = TestApp::replica_of::<Logistics>(&app, |_| quick());
    let plan = app
        .eventually(async || {
            let plan = app.get(&path("routes", &wanted)).await.expect(200);
            (plan["status"] == "done").then_some(plan)
        })
        .await;
    assert_eq!(plan["result"]["routes"], json!([]), "there was nothing to bring");
    let unwanted = app.get(&path("routes", &unwanted)).await.expect(200);
    assert_eq!((&unwanted["status"], &unwanted["attempts"]), (&json!("cancelled"), &json!(0)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_that_is_computed_is_cancelled_and_leaves_room_for_the_next() {
    let app = TestApp::start::<Logistics>(quick()).await;
    for name in ["Ravi", "Asha", "Meera"] {
        courier(&app, name, 100).await;
    }
    let order = &order(&app).await;
    move_order(&app, order, "approved").await;
    // So many that it takes far longer than this test, of the five minutes that it may.
    let scheduled = (0..120).map(async |number| {
        let location = json!({"lat": DEPOT.0 + f64::from(number % 11) / 100.0,
                              "lon": DEPOT.1 + f64::from(number * 37 % 101) / 1000.0});
        let new = json!({"order_id": order["id"], "delivery_date": "2027-02-01", "address": "1 Station Road",
                         "location": location});
        app.post("/logistics/delivery", new).await.expect(201)
    });
    futures_util::future::join_all(scheduled).await;
    let long = json!({"day": "2027-02-01", "depot": {"lat": DEPOT.0, "lon": DEPOT.1}, "max_seconds": 300});
    let plan = app.post("/logistics/routes/plan", long).await.expect(202);
    let at = path("routes", &plan);
    app.eventually(async || (app.get(&at).await.expect(200)["status"] == "running").then_some(())).await;
    let cancelled = app.post(&format!("{at}/cancel"), json!({})).await.expect(200);
    assert_eq!((&cancelled["status"], &cancelled["attempts"]), (&json!("cancelled"), &json!(1)));

    // One is computed at a time: this one has to wait until the other one has stopped.
    let next = json!({"day": "2027-01-31", "depot": {"lat": DEPOT.0, "lon": DEPOT.1}, "max_seconds": 1});
    assert_eq!(planned(&app, next).await["status"], "done");
    let plan = app.get(&at).await.expect(200);
    assert_eq!((&plan["status"], &plan["result"]), (&json!("cancelled"), &Value::Null));
}

#[tokio::test(flavor = "multi_thread")]
async fn couriers_are_kept_found_and_changed() {
    let app = app().await;
    let ravi = courier(&app, "Ravi Kumar", 4).await;
    let list = app.get("/logistics/couriers?q=kum&sort=name&active=true").await.expect(200);
    assert_eq!(list["items"], json!([ravi]));
    let change =
        json!({"capacity": 9, "phone": "12345", "active": false, "shift": {"from": "10:00", "to": "12:00"}});
    let changed = app.patch(&path("couriers", &ravi), change).await.expect(200);
    assert_eq!(
        (&changed["capacity"], &changed["active"], &changed["version"]),
        (&json!(9), &json!(false), &json!(2))
    );
    let history = app.get(&format!("{}/history", path("couriers", &ravi))).await.expect(200);
    assert_eq!(history["items"][0]["changes"]["capacity"], json!({"before": 4, "after": 9}));
    let bad =
        json!({"name": "", "capacity": 0, "shift": {"from": "12:00", "to": "09:00"}, "cost_per_km": "-1"});
    let problem = app.post("/logistics/couriers", bad).await.expect_problem(422, "invalid_input");
    assert!(problem["errors"].as_array().unwrap().len() >= 3, "{problem}");
    app.patch(&path("couriers", &json!({"id": NOBODY})), json!({})).await.expect_problem(404, "not_found");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_is_changed_until_it_is_over() {
    let app = app().await;
    let delivery = parcel(&app, 1.0, None, 2).await;
    let at = path("delivery", &delivery);
    let change = json!({"address": "2 Hill Street", "load": 3, "window": {"from": "09:00", "to": "10:00"},
                        "location": null, "priority": "urgent"});
    let changed = app.patch(&at, change).await.expect(200);
    assert_eq!((&changed["load"], &changed["location"]), (&json!(3), &Value::Null));
    assert_eq!(app.patch(&at, json!({"load": 3})).await.expect(200)["version"], changed["version"]);
    let yesterday = (app.clock.now() - TimeDelta::days(1)).date_naive().to_string();
    app.patch(&at, json!({"delivery_date": yesterday})).await.expect_problem(422, "date_in_the_past");
    let problem =
        app.patch(&at, json!({"courier_id": NOBODY})).await.expect_problem(422, "unknown_reference");
    assert_eq!(problem["errors"][0]["pointer"], "/courier_id");
    move_delivery(&app, &delivery, "failed").await;
    let problem = app.patch(&at, json!({"load": 4})).await.expect_problem(409, "delivery_ended");
    assert_eq!(problem["delivery_status"], "failed");
    app.patch(&path("delivery", &json!({"id": NOBODY})), json!({})).await.expect_problem(404, "not_found");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_whose_owner_died_goes_to_another_three_times_at_most() {
    let app = TestApp::start::<Logistics>(Config { plan_check_ms: 0, ..Config::default() }).await;
    courier(&app, "Ravi", 1).await;
    let orphan = app.post("/logistics/routes/plan", ask()).await.expect(202);
    let unlucky = app.post("/logistics/routes/plan", ask()).await.expect(202);
    let (now, mut conn) = (app.clock.now(), app.context.read().await.unwrap());
    for (plan, attempts) in [(&orphan, 1), (&unlucky, 3)] {
        let id = plan["id"].as_str().unwrap();
        let died = format!(
            "UPDATE route_plans SET status = 'running', attempts = {attempts}, \
             claimed_until = timestamptz '{now}' - interval '1 second' WHERE id = '{id}'"
        );
        diesel_async::RunQueryDsl::execute(diesel::sql_query(died), &mut conn).await.unwrap();
    }
    let _other = TestApp::replica_of::<Logistics>(&app, |_| quick());
    let ended = async |plan: &Value, status: &str| {
        app.eventually(async || {
            let plan = app.get(&path("routes", plan)).await.expect(200);
            (plan["status"] == status).then_some(plan)
        })
        .await
    };
    assert_eq!(ended(&orphan, "done").await["attempts"], 2);
    let failed = ended(&unlucky, "failed").await;
    assert_eq!((&failed["attempts"], &failed["result"]), (&json!(3), &Value::Null));
    assert!(failed["fault"].as_str().unwrap().contains("3 times"), "{failed}");
}
