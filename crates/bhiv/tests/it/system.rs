use std::process::{Child, Command, Stdio};

use bhiv_db::Conn;
use bhiv_testing::eventually;
use diesel_async::{AsyncConnection as _, RunQueryDsl};
use reqwest::Client;
use serde_json::{Value, json};

use crate::guide;
use crate::seen;
use crate::sink::Sink;
use crate::stack::Stack;

/// One stack for all of it: starting seven services takes longer than the tests.
#[tokio::test(flavor = "multi_thread")]
async fn the_system_holds_together() {
    let sink = Sink::listen();
    let stack = Stack::up(&sink.url);
    let trace = the_flow_runs_and_is_seen_in_the_logs(&stack);
    seen::one_request_is_one_waterfall(&sink, &trace).await;
    seen::what_is_not_kept_has_no_spans(&stack, &sink).await;
    guide::it_leads_to_a_verified_webhook(&stack);
    a_role_sees_no_schema_but_its_own(&stack).await;
    for module in ["task", "compliance", "rl", "logging"] {
        a_module_that_was_away_catches_up(&stack, module).await;
    }
    crm_catches_up(&stack).await;
    logistics_catches_up(&stack).await;
    everything_answers_problems(&stack).await;
    seen::every_line_of_the_logs_has_its_names(&stack);
}

fn the_flow_runs_and_is_seen_in_the_logs(stack: &Stack) -> String {
    let shown = stack.bhiv(&["flow", "--tamper"]);
    let trace = shown.lines().find_map(|line| line.trim().strip_prefix("trace ")).unwrap();
    let services = stack.services_that_wrote(trace);
    assert!(services.len() >= 5, "one trace from gateway to consumers: {services:?}\n{shown}");
    assert!(shown.contains("8 The log has the whole story"), "{shown}");
    // It fails unless just the row that was changed is found, and none once it is put back.
    assert!(shown.contains("-> tampered with: ") && shown.contains("It is put back"), "{shown}");
    trace.to_owned()
}

async fn a_role_sees_no_schema_but_its_own(stack: &Stack) {
    let crm = stack.environment("crm")["DATABASE_URL"].clone();
    let mut conn = Conn::establish(&crm).await.unwrap();
    diesel::sql_query("SELECT FROM leads").execute(&mut conn).await.unwrap();
    for sql in [
        "SELECT FROM task.tasks",
        "INSERT INTO logistics.outbox SELECT * FROM logistics.outbox",
        "DROP SCHEMA rl CASCADE",
        "CREATE TABLE public.mine (id int)",
        "CREATE SCHEMA mine",
        "CREATE TEMP TABLE mine (id int)",
        "SET ROLE task",
    ] {
        let refused = diesel::sql_query(sql).execute(&mut conn).await.unwrap_err().to_string();
        let is_refused = refused.contains("permission denied") || refused.contains("must be owner");
        assert!(is_refused, "{sql}: {refused}");
    }
}

/// The flow waits at the first effect that needs the module, and goes on when it is back.
async fn a_module_that_was_away_catches_up(stack: &Stack, module: &str) {
    stack.script("down", &[module]);
    let mut flow = Running::start(stack.bhiv_command(&["flow", "--patience", "60", "--quiet"]));
    // The lead and its event are committed while the module is away.
    eventually(async || (health(stack).await["modules"][module]["status"] == "down").then_some(())).await;
    stack.script("up", &["--no-flow"]);
    flow.succeeds(module);
}

async fn crm_catches_up(stack: &Stack) {
    let caller = Caller::new(stack, "bhiv-gateway");
    stack.script("down", &["crm"]);
    let (status, problem) = caller.post("/crm/leads", &json!({"name": "A", "email": "a@example.com"})).await;
    assert_eq!(
        (status, &problem["code"], &problem["module"]),
        (503, &json!("module_unavailable"), &json!("crm"))
    );
    let customer = format!("customer-{}", std::process::id());
    let order = json!({"customer_id": customer, "items": [{"sku": "X", "quantity": 1, "price": 5}]});
    assert_eq!(caller.post("/logistics/orders", &order).await.0, 201, "the others go on");
    stack.script("up", &["--no-flow"]);
    let accounts = format!("/crm/accounts?q={customer}");
    eventually(async || (caller.get(&accounts).await["total"] == json!(1)).then_some(())).await;
}

async fn logistics_catches_up(stack: &Stack) {
    let caller = Caller::new(stack, "bhiv-gateway");
    let order = json!({"customer_id": "c", "items": [{"sku": "X", "quantity": 1, "price": 5}]});
    let (_, order) = caller.post("/logistics/orders", &order).await;
    stack.script("down", &["logistics"]);
    let question = json!({"query": "May it go?", "context": {"order_id": order["id"]}});
    assert_eq!(caller.post("/bhiv/agent/decide", &question).await.0, 201);
    stack.script("up", &["--no-flow"]);
    let path = format!("/logistics/orders/{}", order["id"].as_str().unwrap());
    eventually(async || {
        let status = caller.get(&path).await["status"].clone();
        (status == json!("approved") || status == json!("on_hold")).then_some(())
    })
    .await;
}

async fn everything_answers_problems(stack: &Stack) {
    let caller = Caller::new(stack, "bhiv-gateway");
    for path in ["/crm/nothing", "/task/nothing", "/nothing", "/logs/nothing", "/consent"] {
        let problem = caller.get(path).await;
        assert_eq!((&problem["status"], &problem["code"]), (&json!(404), &json!("not_found")), "{path}");
    }
    let (status, problem) = caller.post("/task/feedback", &json!({"rating": 9, "stars": 5})).await;
    let pointers: Vec<_> =
        problem["errors"].as_array().unwrap().iter().map(|error| error["pointer"].clone()).collect();
    assert_eq!((status, pointers), (422, vec![json!("/order_id"), json!("/rating"), json!("/stars")]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_without_its_servers_waits_and_says_for_what() {
    let keys = tempfile::tempdir().unwrap();
    let (pem, jwks) = (keys.path().join("key.pem"), keys.path().join("jwks.json"));
    bhiv_auth::Keys::generate(&pem, &jwks).unwrap();
    let crm = std::path::Path::new(env!("CARGO_BIN_EXE_bhiv")).with_file_name("crm");
    let mut command = Command::new(crm);
    command.arg("run").envs([
        ("HTTP_ADDR", "127.0.0.1:28099"),
        ("DATABASE_URL", "postgres://crm:x@127.0.0.1:1/bhiv"),
        ("AMQP_URL", "amqp://crm:x@127.0.0.1:1/bhiv"),
        ("AUTH_JWKS_FILE", jwks.to_str().unwrap()),
    ]);
    let mut crm = Running::start(command);
    let client = Client::builder().no_proxy().build().unwrap();
    let ready = "http://127.0.0.1:28099/health/ready";
    let report: Value = eventually(async || client.get(ready).send().await.ok()?.json().await.ok()).await;
    assert_eq!(report["status"], "not_ready");
    assert!(report["checks"]["database"]["reason"].as_str().unwrap().contains("PostgreSQL"));
    let live = client.get("http://127.0.0.1:28099/health/live").send().await.unwrap();
    assert_eq!(live.status(), 200);
    let leads = client.get("http://127.0.0.1:28099/crm/leads").send().await.unwrap();
    assert_eq!(leads.status(), 401, "it answers, and forgets no rule");
    crm.terminate();
    crm.succeeds("crm ends when it is told to");
}

async fn health(stack: &Stack) -> Value {
    let url = format!("{}/health", stack.url("bhiv-gateway"));
    let client = Client::builder().no_proxy().build().unwrap();
    client.get(url).send().await.unwrap().json().await.unwrap()
}

/// A process that ends with the test.
struct Running(Child);

impl Running {
    fn start(mut command: Command) -> Self {
        Self(command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap())
    }

    fn terminate(&self) {
        let pid = self.0.id().to_string();
        assert!(Command::new("kill").arg(pid).status().unwrap().success());
    }

    fn succeeds(&mut self, what: &str) {
        let mut said = String::new();
        std::io::Read::read_to_string(&mut self.0.stderr.take().unwrap(), &mut said).unwrap();
        assert!(self.0.wait().unwrap().success(), "{what}: {said}");
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
    }
}

struct Caller {
    client: Client,
    url: String,
    token: String,
}

impl Caller {
    fn new(stack: &Stack, service: &str) -> Self {
        let client = Client::builder().no_proxy().build().unwrap();
        let token = stack.bhiv(&["token", "--role", "admin"]).trim().to_owned();
        Self { client, url: stack.url(service), token }
    }

    async fn get(&self, path: &str) -> Value {
        let request = self.client.get(format!("{}{path}", self.url)).bearer_auth(&self.token);
        request.send().await.unwrap().json().await.unwrap()
    }

    async fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        let request = self.client.post(format!("{}{path}", self.url)).bearer_auth(&self.token).json(body);
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }
}
