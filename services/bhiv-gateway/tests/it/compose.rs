//! Answers made of several modules' answers, with modules that are well, slow, away, or that refuse.

use std::time::Duration;

use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use bhiv_auth::Role;
use bhiv_testing::TestApp;
use serde_json::{Value, json};

use crate::app_with;
use crate::module::Module;

const LEAD: &str = "0190aaaa-0000-7000-8000-000000000001";

/// Nobody listens there.
const AWAY: &str = "http://127.0.0.1:1";

/// A module that answers what `answer` says.
async fn module(answer: fn(&HttpRequest) -> HttpResponse) -> String {
    after(Duration::ZERO, answer).await
}

/// The same, taking its time.
async fn after(delay: Duration, answer: fn(&HttpRequest) -> HttpResponse) -> String {
    let server = HttpServer::new(move || {
        App::new().default_service(web::to(move |request: HttpRequest| async move {
            tokio::time::sleep(delay).await;
            answer(&request)
        }))
    });
    let server = server.workers(1).disable_signals().bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", server.addrs()[0]);
    tokio::spawn(server.run());
    url
}

/// All modules, each with a little of everything. Lists tell by what they were asked.
fn everything(request: &HttpRequest) -> HttpResponse {
    let token = request.headers().get("authorization").map(|token| token.to_str().unwrap().to_owned());
    let query = request.query_string();
    let list = |items: Value, total: i64| {
        HttpResponse::Ok().json(json!({"items": items, "total": total, "next_cursor": null}))
    };
    let asked = |name: &str| list(json!([{"id": name, "query": query}]), 1);
    match request.path() {
        "/crm/leads/0190aaaa-0000-7000-8000-000000000001" => {
            HttpResponse::Ok().json(json!({"id": LEAD, "token": token}))
        }
        "/crm/opportunities" if query.contains("limit=100") => list(json!([{"id": "o1"}, {"id": "o2"}]), 205),
        "/logistics/orders" if query.contains("limit=100") => asked("b1"),
        "/logistics/delivery" if query.contains("limit=100") => asked("d1"),
        "/consent/lead%2F0190aaaa-0000-7000-8000-000000000001" => {
            HttpResponse::Ok().json(json!({"subject": "lead", "purposes": []}))
        }
        "/rl/policies" => HttpResponse::Ok().json(json!({"items": [{"kind": "lead_score", "version": 7}]})),
        "/rl/analytics" => HttpResponse::Ok().json(json!({"kinds": [{"kind": "lead_score"}]})),
        "/health/ready" => HttpResponse::Ok().json(json!({"status": "ready", "checks": {"database": {}}})),
        "/version" => HttpResponse::Ok().json(json!({"version": "1.2.3", "uptime_seconds": 77})),
        "/metrics" => HttpResponse::Ok().body(
            "outbox_waiting 3\noutbox_oldest_seconds 1.5\noutbox_parked 0\ninbox_parked 0\n\
             inbox_parked_oldest_seconds 0\n",
        ),
        "/task/feedback" if query.starts_with("rating=4") => list(json!([]), 3),
        "/task/feedback" if query.starts_with("rating=1&limit=1") => list(json!([]), 1),
        path if path.starts_with("/crm/leads/") => {
            HttpResponse::NotFound().json(json!({"code": "not_found"}))
        }
        path if query.ends_with("&limit=1") && path != "/task/feedback" => list(json!([{}]), 2),
        path if query.ends_with("limit=1") => list(json!([]), i64::from(path != "/task/feedback")),
        _ => asked("x"),
    }
}

fn denied(_: &HttpRequest) -> HttpResponse {
    HttpResponse::Forbidden().json(json!({"required_permission": "compliance:read"}))
}

fn broken(_: &HttpRequest) -> HttpResponse {
    HttpResponse::InternalServerError().finish()
}

/// The gateway in front of modules that have everything, with others instead of some.
async fn gateway(others: &[(&str, &str)]) -> TestApp {
    let all = module(everything).await;
    let names = ["crm", "logistics", "task", "compliance", "rl", "logging"].map(|name| (name, all.as_str()));
    let urls = names.iter().chain(others).map(|(name, url)| format!("--{name}-url={url}"));
    app_with(&Module::start().await, &urls.collect::<Vec<_>>()).await
}

fn gap(answer: &Value, part: &str) -> Option<String> {
    let partial = answer["partial"].as_array().unwrap();
    let gap = partial.iter().find(|gap| gap["part"] == part)?;
    Some(format!("{} {}", gap["module"].as_str().unwrap(), gap["reason"].as_str().unwrap()))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_is_shown_with_everything_that_belongs_to_them() {
    let app = gateway(&[]).await;
    let customer = app.get(&format!("/bhiv/customers/{LEAD}")).await.expect(200);
    assert_eq!(customer["lead"]["id"], LEAD);
    assert_eq!(
        customer["lead"]["token"],
        format!("Bearer {}", app.token(Role::Admin)),
        "modules are asked with the caller's own token"
    );
    assert_eq!(customer["opportunities"]["items"], json!([{"id": "o1"}, {"id": "o2"}]));
    assert_eq!(customer["opportunities"]["total"], 205);
    assert_eq!(customer["opportunities"]["truncated"], true);
    let asked = |part: &str| customer[part]["items"][0]["query"].as_str().unwrap().to_owned();
    assert_eq!(asked("orders"), "opportunity_id=o1,o2&limit=100");
    assert_eq!(asked("deliveries"), "order_id=b1&limit=100");
    let about = format!("reference=lead/{LEAD},opportunity/o1,opportunity/o2,order/b1,delivery/d1&limit=100");
    assert_eq!((asked("tasks"), asked("decisions")), (about.clone(), about));
    assert_eq!(customer["orders"]["truncated"], false);
    assert_eq!(customer["consents"]["subject"], "lead");
    assert_eq!((&customer["partial"], &customer["denied"]), (&json!([]), &json!([])));

    let unknown = LEAD.replace('1', "2");
    app.get(&format!("/bhiv/customers/{unknown}")).await.expect_problem(404, "not_found");
    app.get("/bhiv/customers/nonsense").await.expect_problem(404, "not_found");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_missing_of_a_customer_is_named_and_the_rest_is_answered() {
    let (refuses, breaks) = (module(denied).await, module(broken).await);
    let app = gateway(&[("logistics", AWAY), ("compliance", &refuses), ("rl", &breaks)]).await;
    let customer = app.get(&format!("/bhiv/customers/{LEAD}")).await.expect(200);
    assert_eq!(customer["lead"]["id"], LEAD);
    assert_eq!(customer["tasks"]["total"], 1);
    assert_eq!(gap(&customer, "orders").as_deref(), Some("logistics down"));
    assert_eq!(gap(&customer, "deliveries").as_deref(), Some("logistics follows"));
    assert_eq!(gap(&customer, "decisions").as_deref(), Some("rl failed"));
    assert_eq!(gap(&customer, "consents"), None, "what is denied is not missing");
    assert_eq!(
        customer["denied"],
        json!([{"part": "consents", "module": "compliance", "required_permission": "compliance:read"}])
    );
    for part in ["orders", "deliveries", "consents", "decisions"] {
        assert_eq!(customer[part], json!(null), "{part}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_owner_of_the_lead_the_rest_is_answered() {
    let slow = after(Duration::from_mins(10), everything).await;
    for (url, reason) in [(slow, "crm timeout"), (AWAY.to_owned(), "crm down")] {
        let app = gateway(&[("crm", &url)]).await;
        let customer = app.get(&format!("/bhiv/customers/{LEAD}")).await.expect(200);
        assert_eq!((&customer["lead_id"], &customer["lead"]), (&json!(LEAD), &json!(null)));
        assert_eq!(gap(&customer, "lead").as_deref(), Some(reason));
        assert_eq!(gap(&customer, "opportunities").as_deref(), Some(reason));
        assert_eq!(gap(&customer, "orders").as_deref(), Some("logistics follows"));
        assert_eq!(customer["consents"]["subject"], "lead");
        let asked = customer["tasks"]["items"][0]["query"].as_str().unwrap();
        assert_eq!(asked, format!("reference=lead/{LEAD}&limit=100"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_review_shows_what_waits() {
    let refuses = module(denied).await;
    let app = gateway(&[("compliance", &refuses), ("logistics", AWAY)]).await;
    let review = app.get("/review").await.expect(200);
    assert_eq!(review["overdue_tasks"]["items"][0]["query"], "overdue=true&limit=20");
    assert_eq!(review["escalated_tasks"]["items"][0]["query"], "status=escalated&limit=20");
    assert_eq!(review["failed_runs"]["items"][0]["query"], "outcome=failed&limit=20");
    assert_eq!(review["pending_approvals"]["items"][0]["query"], "status=pending&limit=20");
    assert_eq!(review["low_stock"], json!(null));
    for part in ["held_orders", "delayed_deliveries", "failed_deliveries", "low_stock"] {
        assert_eq!(gap(&review, part).as_deref(), Some("logistics down"), "{part}");
    }
    assert_eq!(review["denied"][0]["part"], "violations");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dashboard_counts_what_modules_answer() {
    let app = gateway(&[("logistics", AWAY)]).await;
    let dashboard = app.get("/bhiv/dashboard").await.expect(200);
    assert_eq!(dashboard["leads"]["total"], 10, "two at each of five statuses");
    assert_eq!(dashboard["leads"]["by"]["qualified"], 2);
    assert_eq!(dashboard["feedback"]["total"], 4);
    assert_eq!(dashboard["feedback"]["average"], (4.0 * 3.0 + 1.0) / 4.0);
    assert_eq!(dashboard["decisions"], json!([{"kind": "lead_score"}]));
    assert_eq!(dashboard["orders"], json!(null));
    assert_eq!(gap(&dashboard, "orders").as_deref(), Some("logistics down"));
    assert_eq!(dashboard["partial"].as_array().unwrap().len(), 2, "orders and deliveries");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_status_is_measured() {
    let app = gateway(&[("rl", AWAY)]).await;
    let status = app.get("/status").await.expect(200);
    assert_eq!(status["status"], "degraded");
    let crm = &status["modules"]["crm"];
    assert_eq!((&crm["status"], &crm["version"]), (&json!("ready"), &json!("1.2.3")));
    assert_eq!((&crm["uptime_seconds"], &crm["backlog"]["outbox_waiting"]), (&json!(77), &json!(3.0)));
    assert!(crm["latency_ms"].as_f64().unwrap() > 0.0);
    let rl = &status["modules"]["rl"];
    assert_eq!((&rl["status"], &rl["backlog"]), (&json!("down"), &json!(null)));
    assert_eq!(status["gateway"]["streams_open"], 0);
    assert_eq!(status["gateway"]["status"], "ready");
    app.clock.advance(chrono::TimeDelta::seconds(5));
    let later = app.get("/status").await.expect(200);
    assert_eq!(later["gateway"]["uptime_seconds"], 5);
    let anonymous = app.request(reqwest::Method::GET, "/status");
    TestApp::read(anonymous).await.expect_problem(401, "missing_token");
}

#[tokio::test(flavor = "multi_thread")]
async fn agents_register_are_found_and_go() {
    let mut app = gateway(&[]).await;
    app.speak_as(Role::Sales);
    let new = json!({
        "agent_id": "helper-1", "agent_type": "sales", "capabilities": ["lead_scoring", "mail"],
        "endpoint": "https://agents.example/helper",
    });
    let answer = app.post("/bhiv/agent/register", new.clone()).await;
    assert_eq!(answer.headers["location"], "/bhiv/agents/helper-1");
    let agent = answer.expect(201);
    assert_eq!((&agent["owner"], &agent["version"]), (&json!("user/sales-1"), &json!(1)));
    assert_eq!(app.get("/bhiv/agents/helper-1").await.expect(200), agent);

    app.clock.advance(chrono::TimeDelta::seconds(60));
    let again = app.post("/bhiv/agents/register", new.clone()).await.expect(200);
    assert_eq!((&again["version"], &again["updated_at"]), (&json!(1), &agent["updated_at"]));
    assert_ne!(again["last_seen_at"], agent["last_seen_at"], "it was seen again");
    let other = app.post("/bhiv/agents/register", json!({"agent_id": "helper-1"})).await.expect(200);
    assert_eq!((&other["agent_type"], &other["version"]), (&json!("general"), &json!(2)));
    assert_eq!(other["endpoint"], json!(null));
    app.post("/bhiv/agents/register", json!({"agent_id": "b", "capabilities": ["mail"]})).await.expect(201);
    let names = async |query: &str| {
        let page = app.get(&format!("/bhiv/agents?{query}")).await.expect(200);
        let agents = page["items"].as_array().unwrap().clone();
        agents.iter().map(|agent| agent["agent_id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names("").await, ["b", "helper-1"]);
    assert_eq!(names("capability=mail").await, ["b"]);
    assert_eq!(names("agent_type=sales").await, Vec::<String>::new());
    assert_eq!(names("limit=1").await, ["b"]);
    let status = app.get("/bhiv/status").await.expect(200);
    assert_eq!((&status["agents"], &status["by_type"]), (&json!(2), &json!({"general": 2})));
    assert_eq!((&status["rl"]["status"], &status["policies"][0]["version"]), (&json!("ready"), &json!(7)));

    app.speak_as(Role::Support);
    let taken = app.post("/bhiv/agents/register", json!({"agent_id": "b"})).await;
    taken.expect_problem(409, "agent_of_somebody_else");
    app.delete("/bhiv/agents/b").await.expect_problem(409, "agent_of_somebody_else");
    app.speak_as(Role::Viewer);
    app.delete("/bhiv/agents/b").await.expect_problem(403, "permission_denied");
    app.speak_as(Role::Admin);
    app.delete("/bhiv/agents/b").await.expect(204);
    app.delete("/bhiv/agents/b").await.expect_problem(404, "not_found");
    let reserved = app.post("/bhiv/agents/register", json!({"agent_id": "register"})).await;
    reserved.expect_problem(422, "invalid_input");
    let audited = ["agent.register", "agent.update", "agent.register", "agent.remove"];
    assert_eq!(app.audited().await, audited);
}
