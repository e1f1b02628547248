//! What operators type, with the rights that operators have.

use std::process::{Command, Output};

use bhiv_broker::topology::Topology;
use bhiv_broker::{Fate, Message, Tail, wire};
use bhiv_db::{Conn, Migrations};
use bhiv_events::crm::LeadCreated;
use bhiv_events::{Contract as _, Event, Producer};
use bhiv_settings::Secret;
use bhiv_testing::{TestBroker, eventually, servers};
use diesel::sql_types::Text;
use diesel_async::{AsyncConnection as _, RunQueryDsl};
use serde_json::Value;
use uuid::Uuid;

/// A virtual host and a database with the tables of task, which is not running.
struct Operator {
    broker: TestBroker,
    amqp_url: Secret,
    database: String,
    database_url: String,
}

impl Operator {
    async fn new() -> Self {
        let topology = Topology::new(Producer::Task, [(Producer::Crm, LeadCreated::KIND.routing_key)]);
        let broker = TestBroker::start(&[topology]).await;
        // A user of its own: users belong to no virtual host, and other tests may declare `operator` otherwise.
        let amqp_url = broker.url_for("operator-of-a-test", "secret");
        broker.admin.grant_operator(&amqp_url).await.unwrap();

        #[expect(clippy::disallowed_methods, reason = "it tells runs of a test apart")]
        let database = format!("t_{}", Uuid::now_v7().simple());
        let admin_url = servers().database_url;
        execute(admin_url.expose(), &format!("CREATE DATABASE {database}")).await;
        let (server, _) = admin_url.expose().rsplit_once('/').unwrap();
        let database_url = format!("{server}/{database}");
        execute(&database_url, "CREATE SCHEMA task").await;
        let operator = Self { broker, amqp_url, database, database_url };
        bhiv_db::migrate(&operator.task_url(), Migrations(&[bhiv_outbox::MIGRATIONS])).await.unwrap();
        operator
    }

    fn task_url(&self) -> String {
        format!("{}?options=-csearch_path%3Dtask", self.database_url)
    }

    async fn dead_letter(&self, id: u128, sequence: i64, headers: &[(&str, &str)]) {
        let id = Uuid::from_u128(id);
        let event = Event { sequence, ..Event::around(id, &LeadCreated::sample()) };
        let mut message = Message {
            exchange: "bhiv.dlx".to_owned(),
            routing_key: "task.limit".to_owned(),
            id,
            headers: wire::headers(&event),
            body: event.data.to_string().into_bytes(),
        };
        message.headers.extend(headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        assert_eq!(self.broker.publish(message).await, Fate::Delivered);
    }

    fn run(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_bhiv"))
            .args(arguments)
            .env("OPERATOR_AMQP_URL", self.amqp_url.expose())
            .env("RABBITMQ_ADMIN_URL", servers().rabbitmq_admin_url.expose())
            .env("DATABASE_ADMIN_URL", &self.database_url)
            .env("USER", "asha")
            .output()
            .unwrap()
    }

    /// What `bhiv` says when all goes well.
    fn says(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        let said = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success(), "{arguments:?}: {said}{}", String::from_utf8_lossy(&output.stderr));
        said
    }

    /// What `bhiv` says when something does not.
    fn complains(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(!output.status.success(), "{arguments:?} succeeds");
        String::from_utf8(output.stderr).unwrap()
    }

    /// Ids of the dead letters, in their order.
    fn listed(&self) -> Vec<u128> {
        self.says(&["dlq", "list", "--json"])
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap())
            .map(|letter| letter["message_id"].as_str().unwrap().parse::<Uuid>().unwrap().as_u128())
            .collect()
    }

    /// Actor, action and entity of each audit row.
    async fn audits(&self) -> String {
        #[derive(diesel::QueryableByName)]
        struct Row {
            #[diesel(sql_type = Text)]
            text: String,
        }
        let sql =
            "SELECT coalesce(string_agg(concat_ws(' ', headers ->> 'cloudEvents_actor', data ->> 'action',
                                                        data ->> 'entity'), E'\\n' ORDER BY id), '') AS text
                   FROM outbox, LATERAL (SELECT convert_from(payload, 'UTF8')::jsonb AS data) AS body";
        let mut conn = Conn::establish(&self.task_url()).await.unwrap();
        diesel::sql_query(sql).get_result::<Row>(&mut conn).await.unwrap().text
    }
}

async fn execute(url: &str, sql: &str) {
    diesel::sql_query(sql).execute(&mut Conn::establish(url).await.unwrap()).await.unwrap();
}

const REJECTED: [(&str, &str); 4] = [
    ("bhiv-error-class", "rejected"),
    ("bhiv-error", "a lead without a name"),
    ("bhiv-attempts", "1"),
    ("bhiv-queue", "task.q.crm"),
];

/// One database for all of it.
#[tokio::test(flavor = "multi_thread")]
async fn operators_put_right_what_went_wrong() {
    let operator = Operator::new().await;
    operator.dead_letter(1, 3, &REJECTED).await;
    operator.dead_letter(2, 1, &[("x-first-death-queue", "task.q.crm")]).await;
    operator.dead_letter(3, 2, &REJECTED).await;
    operator.dead_letter(4, 9, &[("bhiv-queue", "task.q.gone")]).await;

    looking_changes_nothing(&operator).await;
    redriving_keeps_the_order_of_a_subject(&operator).await;
    dropping_takes_a_selector(&operator).await;
    parked_messages_are_tried_again(&operator).await;
    the_status_says_what_is_wrong(&operator).await;

    execute(servers().database_url.expose(), &format!("DROP DATABASE {} WITH (FORCE)", operator.database))
        .await;
}

async fn looking_changes_nothing(operator: &Operator) {
    let listed = operator.says(&["dlq", "list"]);
    for part in ["lead_created", "a lead without a name", "task rejected: 2", "task limit: 2"] {
        assert!(listed.contains(part), "{part}: {listed}");
    }
    let id = Uuid::from_u128(2).to_string();
    let shown = operator.says(&["dlq", "show", &id]);
    for part in ["from task.q.crm", "x-first-death-queue: task.q.crm", "\"lead_id\": \""] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    assert!(operator.complains(&["dlq", "show", "42"]).contains("see `bhiv dlq list`"));
    assert!(operator.complains(&["dlq", "list", "--service", "crm"]).contains("no queue crm.dlq"));
    for tried in [&["dlq", "redrive"][..], &["dlq", "drop", "--all"], &["dlq", "drop", "--class", "limit"]] {
        assert!(operator.says(tried).contains("repeat it with --apply"));
    }
    assert_eq!(operator.listed(), [1, 2, 3, 4]);
    assert_eq!(operator.audits().await, "");
}

async fn redriving_keeps_the_order_of_a_subject(operator: &Operator) {
    let connector = operator.broker.connector();
    let mut tail = Tail::open(&connector, "ops.tail", &["bhiv.requeue"], "task.q.crm").await.unwrap();
    let complaint = operator.complains(&["dlq", "redrive", "--apply"]);
    assert!(complaint.contains("NO_ROUTE") && complaint.contains("1 of 4 letters are"), "{complaint}");
    assert_eq!(operator.listed(), [4]);

    // 1, 2 and 3 tell of one lead, in the sequence 2, 3, 1.
    for (id, sequence) in [(2, 1), (3, 2), (1, 3)] {
        let delivery = tail.next().await.unwrap();
        assert_eq!(delivery.message_id, Uuid::from_u128(id).to_string());
        assert_eq!(delivery.event.unwrap().sequence, sequence);
        assert_eq!(delivery.headers["bhiv-attempt"], "2");
        let is_of_death = |name: &String| name.starts_with("x-") || name.starts_with("bhiv-error");
        assert!(!delivery.headers.keys().any(is_of_death), "{:?}", delivery.headers);
    }
    // What was refused is recorded too: it was the intent.
    let audited = [2, 3, 1, 4].map(|id| format!("operator/asha dlq.redrive message/{}", Uuid::from_u128(id)));
    assert_eq!(operator.audits().await, audited.join("\n"));
    connector.close().await;
}

async fn dropping_takes_a_selector(operator: &Operator) {
    assert!(operator.complains(&["dlq", "drop", "--apply"]).contains("--all"));
    let id = Uuid::from_u128(4).to_string();
    let said = operator.says(&["dlq", "drop", "--id", &id, "--as", "ravi", "--apply"]);
    assert!(said.contains("1 letters are dropped"), "{said}");
    assert_eq!(operator.listed(), []);
    assert!(operator.audits().await.ends_with(&format!("operator/ravi dlq.drop message/{id}")));
}

async fn parked_messages_are_tried_again(operator: &Operator) {
    assert!(operator.says(&["parked", "list"]).contains("nothing is parked"));
    let id = Uuid::from_u128(7).to_string();
    let sql = format!(
        "INSERT INTO inbox_parked VALUES ('task.lead', '{id}', 'lead/7', 1, '{{}}', '', 'task.q.crm', 3,
                                          now() + interval '1 day', 'later', 'no team yet', now())"
    );
    execute(&operator.task_url(), &sql).await;
    assert!(operator.says(&["parked", "list"]).contains("no team yet"));
    let said = operator.says(&["parked", "list", "--json"]);
    let row: Value = serde_json::from_str(&said).unwrap();
    assert_eq!((&row["direction"], &row["message"]["attempts"]), (&"in".into(), &3.into()));

    operator.says(&["parked", "retry"]);
    assert!(operator.says(&["parked", "list"]).contains("23 h"), "a dry run changes nothing");
    operator.says(&["parked", "retry", "--id", &id, "--apply"]);
    assert!(operator.says(&["parked", "list"]).contains("0 s"));
    assert!(operator.audits().await.ends_with(&format!("operator/asha parked.retry message/{id}")));
    assert!(operator.complains(&["parked", "list", "--service", "crm"]).contains("schema 'crm'"));
}

async fn the_status_says_what_is_wrong(operator: &Operator) {
    operator.dead_letter(8, 1, &REJECTED).await;
    let status = eventually(async || {
        let status = operator.says(&["outbox", "status"]);
        status.contains("1 dead letters").then_some(status)
    })
    .await;
    let end = status.split_once("wrong: ").unwrap().1;
    for part in ["task: no replica", "1 messages cannot be handled yet", "nobody reads task.q.crm"] {
        assert!(end.contains(part), "{part}: {status}");
    }
    let said = operator.says(&["outbox", "status", "--json"]);
    let report: Value = serde_json::from_str(&said).unwrap();
    assert_eq!((&report["service"], &report["status"]["parked_in"]), (&"task".into(), &1.into()));
}
