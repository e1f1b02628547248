use bhiv_auth::Role;
use bhiv_testing::{Answer, TestApp};
use crm::{Config, Crm};
use reqwest::Method;
use serde_json::{Value, json};

async fn app() -> TestApp {
    TestApp::start::<Crm>(Config { import_check_ms: 20 }).await
}

async fn send(app: &TestApp, query: &str, media_type: &str, body: impl Into<reqwest::Body>) -> Answer {
    let request = app.request(Method::POST, &format!("/crm/import{query}"));
    let request = request.bearer_auth(app.token_of("ravi", Role::Manager)).header("content-type", media_type);
    TestApp::read(request.body(body)).await
}

async fn import(app: &TestApp, query: &str, body: &str) -> Value {
    let answer = send(app, query, "text/csv", body.to_owned()).await;
    let location = answer.headers["location"].to_str().unwrap().to_owned();
    answer.expect(202);
    app.eventually(async || {
        let import = app.get(&location).await.expect(200);
        let is_over = !["receiving", "importing"].contains(&import["status"].as_str().unwrap());
        is_over.then_some(import)
    })
    .await
}

async fn rows(app: &TestApp, import: &Value, outcome: &str) -> Vec<Value> {
    let path = format!("/crm/imports/{}/rows?outcome={outcome}", import["id"].as_str().unwrap());
    app.get(&path).await.expect(200)["items"].as_array().unwrap().clone()
}

fn counts(import: &Value) -> [i64; 5] {
    ["rows", "created", "updated", "unchanged", "refused"].map(|name| import[name].as_i64().unwrap())
}

const FILE: &str = "name,email,company,budget,consent\n\
                    Asha Verma,asha@example.com,\"Verma, Textiles\",25000.50,contact;profiling\n\
                    Ravi Kumar,ravi@example.com,,,\n";

#[tokio::test(flavor = "multi_thread")]
async fn a_file_becomes_leads_once_however_often_it_comes() {
    let app = app().await;
    let first = import(&app, "", FILE).await;
    assert_eq!((&first["status"], counts(&first)), (&json!("done"), [2, 2, 0, 0, 0]));
    let leads = app.get("/crm/leads?sort=name").await.expect(200)["items"].clone();
    assert_eq!((&leads[0]["company"], &leads[0]["budget"]), (&json!("Verma, Textiles"), &json!("25000.50")));
    assert_eq!(leads[0]["consent_purposes"], json!(["contact", "profiling"]));
    assert_eq!(leads[0]["owner"], "ravi", "whoever imports it works on it");
    assert_ne!(leads[0]["correlation_id"], leads[1]["correlation_id"], "each is a story of its own");
    let created = rows(&app, &first, "created").await;
    assert_eq!((&created[0]["line"], &created[0]["lead_id"]), (&json!(2), &leads[0]["id"]));
    assert_eq!(app.recorded_names().await.iter().filter(|name| *name == "lead_created").count(), 2);

    let again = import(&app, "", FILE).await;
    assert_eq!(counts(&again), [2, 0, 0, 2, 0]);
    let changed = import(&app, "", &FILE.replace("25000.50", "30000")).await;
    assert_eq!(counts(&changed), [2, 0, 1, 1, 0]);
    let leads = app.get("/crm/leads?sort=name").await.expect(200);
    assert_eq!((&leads["total"], &leads["items"][0]["budget"]), (&json!(2), &json!("30000")));
    let all = app.get("/crm/imports").await.expect(200);
    assert_eq!((&all["total"], &all["items"][0]["id"]), (&json!(3), &changed["id"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_row_keeps_all_out_unless_it_is_said_otherwise() {
    let app = app().await;
    let bad = format!("{FILE},nobody,,-1,\nshort\n");
    let refused = import(&app, "", &bad).await;
    assert_eq!((&refused["status"], counts(&refused)), (&json!("refused"), [4, 0, 0, 0, 2]));
    assert_eq!(app.get("/crm/leads").await.expect(200)["total"], 0, "nor half of the file");
    let faults = rows(&app, &refused, "refused").await;
    assert_eq!(faults[0]["line"], 4);
    let pointers: Vec<_> =
        faults[0]["faults"].as_array().unwrap().iter().map(|fault| fault["pointer"].clone()).collect();
    assert_eq!(pointers, ["/budget", "/email", "/name"], "every fault of the row");
    assert!(faults[1]["faults"][0]["message"].as_str().unwrap().contains("1 fields"));

    let skipped = import(&app, "?on_error=skip", &bad).await;
    assert_eq!((&skipped["status"], counts(&skipped)), (&json!("done"), [4, 2, 0, 0, 2]));
    assert_eq!(app.get("/crm/leads").await.expect(200)["total"], 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn json_lines_are_imported_by_their_ids_at_the_source() {
    let app = app().await;
    let line = |id: &str, name: &str| {
        json!({"external_id": id, "source": "old crm", "name": name, "email": "x@example.com"}).to_string()
    };
    let send = async |body: String| {
        let answer = send(&app, "", "application/x-ndjson", body).await;
        let location = answer.headers["location"].to_str().unwrap().to_owned();
        answer.expect(202);
        app.eventually(async || {
            let import = app.get(&location).await.expect(200);
            (import["status"] == "done").then_some(import)
        })
        .await
    };
    let both = format!("{}\n{}", line("1", "Asha"), line("2", "Ravi"));
    assert_eq!(counts(&send(both.clone()).await), [2, 2, 0, 0, 0], "one mailbox, two people");
    assert_eq!(counts(&send(both).await), [2, 0, 0, 2, 0]);
    assert_eq!(counts(&send(line("2", "Ravi Kumar")).await), [1, 0, 1, 0, 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_table_is_refused() {
    let app = app().await;
    send(&app, "", "application/json", "{}").await.expect_problem(415, "unsupported_media_type");
    let long = "x".repeat(70_000);
    send(&app, "", "text/csv", format!("name,email\n{long},a@example.com\n"))
        .await
        .expect_problem(413, "row_too_large");
    let imports = app.get("/crm/imports").await.expect(200);
    assert_eq!(imports["items"][0]["status"], "aborted");
    send(&app, "?on_error=maybe", "text/csv", "name\n").await.expect_problem(422, "invalid_input");
}

#[tokio::test(flavor = "multi_thread")]
async fn thousands_of_rows_come_in_and_go_out_again_and_another_replica_goes_on() {
    const ROWS: usize = 1_200;
    let app = TestApp::start::<Crm>(Config { import_check_ms: 3_600_000 }).await;
    let row = |row| format!("Person {row:05},person{row}@example.com,\"=racks, {row}\"\n");
    let file: String = std::iter::once("name,email,need\n".to_owned()).chain((0..ROWS).map(row)).collect();
    let answer = send(&app, "", "text/csv", file).await;
    let location = answer.headers["location"].to_str().unwrap().to_owned();
    assert_eq!(answer.expect(202)["rows"], ROWS);
    // The replica that took the file sleeps; others do the work, one at a time.
    let replicas = [
        TestApp::replica_of::<Crm>(&app, |_| Config { import_check_ms: 10 }),
        TestApp::replica_of::<Crm>(&app, |_| Config { import_check_ms: 10 }),
    ];
    let done = app.eventually(async || {
        let import = app.get(&location).await.expect(200);
        (import["status"] == "done").then_some(import)
    });
    assert_eq!(counts(&done.await), [1200, 1200, 0, 0, 0]);
    assert_eq!(app.get("/crm/leads").await.expect(200)["total"], ROWS);
    drop(replicas);

    let request = app.request(Method::GET, "/crm/export?format=csv").bearer_auth(app.token(Role::Admin));
    let response = request.send().await.unwrap();
    assert_eq!(response.headers()["content-type"], "text/csv; charset=utf-8");
    let text = response.text().await.unwrap();
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines.len(), ROWS + 1);
    assert!(lines[0].starts_with("id,version,correlation_id,name,email"));
    let names = lines[1..].iter().map(|line| line.split(',').nth(3).unwrap());
    assert!(names.enumerate().all(|(row, name)| name == format!("Person {row:05}")), "the oldest first");
    assert!(lines[1].contains("\"'=racks, 0\""), "a formula is kept from being one");

    let request = app.request(Method::GET, "/crm/export?entity=leads&format=ndjson");
    let text = request.bearer_auth(app.token(Role::Admin)).send().await.unwrap().text().await.unwrap();
    let last: Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
    assert_eq!((text.lines().count(), &last["name"]), (ROWS, &json!("Person 01199")));
    // Sellers take away what they see.
    let token = app.token_of("meera", Role::Sales);
    let request = app.request(Method::GET, "/crm/export").bearer_auth(token);
    assert_eq!(request.send().await.unwrap().text().await.unwrap(), "");
}
