use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use actix_web::web::{self, Data, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use bhiv_auth::Role;
use bhiv_events::crm::LeadUpdated;
use bhiv_events::{AuditRecorded, Contract as _, Event, Producer};
use bhiv_testing::{Answer, TestApp, servers};
use deadpool_redis::redis::{Client, Commands as _};
use futures_util::future::join_all;
use futures_util::{StreamExt as _, stream};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};

use crate::module::Module;
use crate::{app_with, prefix, replica_of};

const LEADS: &str = "/crm/leads";

/// A module that counts what it is asked, and that takes its time.
#[derive(Clone, Default)]
struct Counter {
    value: Arc<AtomicU64>,
    asked: Arc<AtomicU64>,
}

impl Counter {
    async fn start(&self) -> Module {
        let counter = Data::new(self.clone());
        Module::serving(move |app: &mut ServiceConfig| {
            app.app_data(Data::clone(&counter))
                .route("/crm/leads", web::get().to(read))
                .route("/crm/leads", web::post().to(write))
                .route("/crm/activities", web::get().to(read))
                .route("/crm/slow", web::post().to(write_slowly))
                .route("/crm/import", web::post().to(import))
                .route("/crm/accounts", web::get().to(special))
                .route("/task/tasks", web::get().to(read));
        })
        .await
    }

    fn asked(&self) -> u64 {
        self.asked.load(Ordering::SeqCst)
    }
}

/// What it was when the question came, a little later.
async fn read(counter: Data<Counter>) -> HttpResponse {
    counter.asked.fetch_add(1, Ordering::SeqCst);
    let value = counter.value.load(Ordering::SeqCst);
    tokio::time::sleep(Duration::from_millis(value % 4 * 3)).await;
    HttpResponse::Ok().insert_header(("x-module", "counter")).json(json!({"value": value}))
}

async fn write(counter: Data<Counter>) -> HttpResponse {
    let value = counter.value.fetch_add(1, Ordering::SeqCst) + 1;
    tokio::time::sleep(Duration::from_millis(value % 3 * 3)).await;
    HttpResponse::Created().json(json!({"value": value}))
}

/// Has written long before it says so.
async fn write_slowly(counter: Data<Counter>) -> HttpResponse {
    counter.value.fetch_add(1, Ordering::SeqCst);
    tokio::time::sleep(Duration::from_secs(3)).await;
    HttpResponse::Created().json(1)
}

/// Tells of a row before it is written, and of another one when it is.
async fn import(counter: Data<Counter>) -> HttpResponse {
    let rows = stream::iter([0, 1]).then(move |row| {
        let counter = counter.clone();
        async move {
            if row == 1 {
                let asked = counter.asked();
                // Somebody reads in between, and their answer is kept.
                while counter.asked() == asked {
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
                counter.value.fetch_add(1, Ordering::SeqCst);
            }
            Ok::<_, actix_web::Error>(web::Bytes::from("row\n"))
        }
    });
    HttpResponse::Ok().content_type("text/csv").streaming(Box::pin(rows))
}

/// Answers that must not be kept, by the name of what is special about them.
async fn special(request: HttpRequest, counter: Data<Counter>) -> HttpResponse {
    counter.asked.fetch_add(1, Ordering::SeqCst);
    let mut answer = HttpResponse::Ok();
    match request.query_string() {
        "private" => answer.insert_header(("cache-control", "private, max-age=60")).json(1),
        "no-store" => answer.insert_header(("cache-control", "no-store")).json(1),
        "cookie" => answer.insert_header(("set-cookie", "a=b")).json(1),
        "vary" => answer.insert_header(("vary", "accept, x-other")).json(1),
        "text" => answer.content_type("text/plain").body("1"),
        "large" => answer.json("x".repeat(1_000_001)),
        // What is not there.
        _ => HttpResponse::NotFound().json(1),
    }
}

fn settings() -> Vec<String> {
    settings_with(&prefix())
}

fn settings_with(prefix: &str) -> Vec<String> {
    vec![format!("--redis-prefix={prefix}"), "--rate-limits=address=none,user=none".to_owned()]
}

fn status(answer: &Answer) -> &str {
    answer.headers["cache-status"].to_str().unwrap()
}

fn is_hit(answer: &Answer) -> bool {
    status(answer).starts_with("bhiv-gateway; hit")
}

async fn get_with(app: &TestApp, path: &str, (name, value): (&str, &str)) -> Answer {
    let request = app.request(Method::GET, path).bearer_auth(app.token(Role::Admin));
    TestApp::read(request.header(name, value)).await
}

/// Asks until the answer is one that was kept.
async fn eventually_kept(app: &TestApp, path: &str) -> Answer {
    app.eventually(async || Some(app.get(path).await).filter(is_hit)).await
}

/// Asks until the answer's value is not kept any more, and answers the new one.
async fn eventually_asked(app: &TestApp, path: &str) -> Answer {
    app.eventually(async || Some(app.get(path).await).filter(|answer| !is_hit(answer))).await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_is_given_again_until_something_is_written() {
    let counter = Counter::default();
    let module = counter.start().await;
    let more = settings();
    let first = app_with(&module, &more).await;
    let second = replica_of(&first, &module, &more);
    eventually_kept(&first, LEADS).await;
    eventually_kept(&second, LEADS).await;
    let asked = counter.asked();
    first.clock.advance(chrono::TimeDelta::seconds(7));
    let kept = second.get("/crm/leads").await;
    assert_eq!(status(&kept), "bhiv-gateway; hit; ttl=293");
    assert_eq!(
        (&kept.headers["age"], &kept.headers["x-module"]),
        (&"7".parse().unwrap(), &"counter".parse().unwrap())
    );
    assert_eq!(kept.headers["cache-control"], "private, no-cache");
    assert_eq!(kept.headers["content-type"], "application/json");
    assert_eq!(kept.expect(200), json!({"value": 0}));
    assert_eq!(counter.asked(), asked);

    for value in 1..=5 {
        first.post(LEADS, json!({})).await.expect(201);
        let read = second.get(LEADS).await;
        assert_eq!(status(&read), "bhiv-gateway; fwd=stale; stored");
        assert_eq!(read.expect(200)["value"], value);
        eventually_kept(&second, LEADS).await;
    }
    // Refused writes, too: who knows what they did.
    first.delete(LEADS).await;
    assert!(!is_hit(&second.get(LEADS).await));
    // Other modules have nothing to do with it.
    eventually_kept(&second, "/task/tasks").await;
    first.post(LEADS, json!({})).await.expect(201);
    assert!(is_hit(&second.get("/task/tasks").await));
}

#[tokio::test(flavor = "multi_thread")]
#[expect(clippy::print_stderr, reason = "it tells its figures")]
async fn nobody_reads_less_than_was_written_before_they_asked() {
    let counter = Counter::default();
    let module = counter.start().await;
    let more = settings();
    let first = app_with(&module, &more).await;
    let replicas = [replica_of(&first, &module, &more), first];
    for replica in &replicas {
        eventually_kept(replica, LEADS).await;
    }
    let (acknowledged, hits) = (AtomicU64::new(0), AtomicU64::new(0));
    let people = (0..12_usize).map(|person| {
        let (replicas, acknowledged, hits) = (&replicas, &acknowledged, &hits);
        async move {
            for round in 0..60 {
                let replica = &replicas[(person + round / 3) % 2];
                if (person * 7 + round) % 12 == 0 {
                    let written = replica.post(LEADS, json!({})).await.expect(201)["value"].as_u64().unwrap();
                    acknowledged.fetch_max(written, Ordering::SeqCst);
                }
                let written = acknowledged.load(Ordering::SeqCst);
                let read = replicas[(person + round) % 2].get(LEADS).await;
                hits.fetch_add(u64::from(is_hit(&read)), Ordering::SeqCst);
                let value = read.expect(200)["value"].as_u64().unwrap();
                assert!(value >= written, "{value} was read after {written} had been written");
            }
        }
    });
    join_all(people).await;
    let (hits, written) = (hits.into_inner(), acknowledged.into_inner());
    eprintln!("{hits} of 720 reads were kept answers, with {written} writes between them");
    assert!(hits > 0 && written >= 60, "{hits} hits, {written} writes");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_written_while_it_is_reported_is_read_after_the_report() {
    let counter = Counter::default();
    let module = counter.start().await;
    let more = settings();
    let first = app_with(&module, &more).await;
    let second = replica_of(&first, &module, &more);
    eventually_kept(&second, LEADS).await;
    let request = first.request(Method::POST, "/crm/import").bearer_auth(first.token(Role::Admin));
    let mut report = request.send().await.unwrap();
    assert_eq!(report.chunk().await.unwrap().unwrap(), "row\n");
    assert_eq!(eventually_kept(&second, LEADS).await.expect(200)["value"], 0);
    while report.chunk().await.unwrap().is_some() {}
    assert_eq!(second.get(LEADS).await.expect(200)["value"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_written_is_read_when_the_writer_has_gone() {
    let counter = Counter::default();
    let module = counter.start().await;
    let app = app_with(&module, &settings()).await;
    eventually_kept(&app, LEADS).await;
    let request = app.request(Method::POST, "/crm/slow").bearer_auth(app.token(Role::Admin));
    let sent = tokio::spawn(request.send());
    app.eventually(async || (counter.value.load(Ordering::SeqCst) == 1).then_some(())).await;
    sent.abort();
    app.eventually(async || (app.get(LEADS).await.expect(200)["value"] == 1).then_some(())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_are_not_shared_with_who_may_see_others() {
    // The module that tells what it was asked: with the caller's token.
    let module = Module::start().await;
    let app = app_with(&module, &settings()).await;
    let ask = async |token: &str| TestApp::read(app.request(Method::GET, LEADS).bearer_auth(token)).await;
    let seen = |answer: &Answer| answer.body["headers"]["authorization"].as_str().unwrap().to_owned();
    for role in [Role::Admin, Role::Manager, Role::Sales, Role::Support, Role::Viewer] {
        let token = app.token(role);
        let kept = app.eventually(async || Some(ask(&token).await).filter(is_hit)).await;
        assert_eq!(seen(&kept), format!("Bearer {token}"));
    }
    // Another token of the same caller, another admin, another salesperson.
    let (ada, ravi) = (app.token_of("ada", Role::Admin), app.token_of("ravi", Role::Sales));
    assert!(is_hit(&ask(&ada).await));
    assert_eq!(seen(&ask(&ravi).await), format!("Bearer {ravi}"));
    let anonymous = TestApp::read(app.request(Method::GET, LEADS)).await;
    anonymous.expect_problem(401, "missing_token");

    // Everybody may follow a delivery. Who shows a token there, which nobody has verified, gets an answer of their own.
    let track = "/logistics/track/BHV1";
    let open = async || TestApp::read(app.request(Method::GET, track)).await;
    app.eventually(async || Some(open().await).filter(is_hit)).await;
    let forged = TestApp::read(app.request(Method::GET, track).bearer_auth("forged")).await;
    assert_eq!(status(&forged), "bhiv-gateway; fwd=bypass");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_can_ask_for_a_fresh_answer() {
    let counter = Counter::default();
    let module = counter.start().await;
    let app = app_with(&module, &settings()).await;
    eventually_kept(&app, LEADS).await;
    // Changed behind the gateway's back, without a word.
    counter.value.store(9, Ordering::SeqCst);
    assert_eq!(app.get(LEADS).await.expect(200)["value"], 0);
    let unkept = get_with(&app, LEADS, ("cache-control", "no-store")).await;
    assert_eq!(status(&unkept), "bhiv-gateway; fwd=bypass");
    assert_eq!(unkept.expect(200)["value"], 9);
    assert_eq!(app.get(LEADS).await.expect(200)["value"], 0);
    let fresh = get_with(&app, LEADS, ("cache-control", "max-age=3, no-cache")).await;
    assert_eq!(status(&fresh), "bhiv-gateway; fwd=request; stored");
    assert_eq!(fresh.expect(200)["value"], 9);
    app.eventually(async || (app.get(LEADS).await.expect(200)["value"] == 9).then_some(())).await;
    get_with(&app, LEADS, ("pragma", "no-cache")).await.expect(200);
    assert!(is_hit(&eventually_kept(&app, LEADS).await));
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_asks_for_a_fresh_answer_refreshes_it_at_every_replica() {
    let counter = Counter::default();
    let module = counter.start().await;
    let more = settings();
    let first = app_with(&module, &more).await;
    let second = replica_of(&first, &module, &more);
    for value in 1..=5 {
        counter.value.store(value, Ordering::SeqCst);
        // Nothing was told of a change: the new answer is of the same generation as the old one, which both have.
        get_with(&first, LEADS, ("cache-control", "no-cache")).await.expect(200);
        for replica in [&second, &first] {
            replica
                .eventually(async || {
                    let read = eventually_kept(replica, LEADS).await;
                    (read.expect(200)["value"] == value).then_some(())
                })
                .await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_redis_says_which_answer_is_kept_and_until_when() {
    let counter = Counter::default();
    let module = counter.start().await;
    let prefix = prefix();
    let more = settings_with(&prefix);
    let first = app_with(&module, &more).await;
    let second = replica_of(&first, &module, &more);
    let mut redis = Client::open(servers().redis_url.expose()).unwrap();
    eventually_kept(&first, LEADS).await;
    let keys: Vec<String> = redis.keys(format!("{prefix}:answer:*")).unwrap();
    let [key] = &keys[..] else { panic!("{keys:?}") };

    // Generation and id are in the first 32 bytes; the rest cannot be read any more.
    let _: usize = redis.setrange(key, 32, vec![0xff_u8; 16]).unwrap();
    assert!(is_hit(&first.get(LEADS).await), "it has that answer at hand");
    assert_eq!(status(&second.get(LEADS).await), "bhiv-gateway; fwd=miss; stored");
    eventually_kept(&second, LEADS).await;

    let _: usize = redis.del(key).unwrap();
    assert_eq!(status(&first.get(LEADS).await), "bhiv-gateway; fwd=uri-miss; stored");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_client_has_already_is_not_sent_again() {
    let counter = Counter::default();
    let module = counter.start().await;
    let app = app_with(&module, &settings()).await;
    let first = app.get(LEADS).await;
    let tag = first.headers["etag"].to_str().unwrap().to_owned();
    assert!(tag.starts_with('"') && tag.len() > 20, "{tag}");
    let kept = eventually_kept(&app, LEADS).await;
    assert_eq!(kept.headers["etag"], tag.as_str());
    for known in [tag.clone(), format!("\"other\", W/{tag}"), "*".to_owned()] {
        let answer = get_with(&app, LEADS, ("if-none-match", &known)).await;
        assert_eq!((answer.status.as_u16(), &answer.body), (304, &Value::Null), "{known}");
        assert_eq!(answer.headers["etag"], tag.as_str());
        assert!(is_hit(&answer) && answer.headers.get("content-type").is_none());
    }
    // When the module is asked, too.
    app.post(LEADS, json!({})).await.expect(201);
    let changed = get_with(&app, LEADS, ("if-none-match", &tag)).await;
    let new_tag = changed.headers["etag"].to_str().unwrap().to_owned();
    assert_eq!(changed.expect(200)["value"], 1);
    app.delete(LEADS).await;
    let same = get_with(&app, LEADS, ("if-none-match", &new_tag)).await;
    assert_eq!((same.status.as_u16(), status(&same)), (304, "bhiv-gateway; fwd=stale; stored"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_modules_tell_is_seen() {
    let counter = Counter::default();
    let module = counter.start().await;
    let more = settings();
    let first = app_with(&module, &more).await;
    let second = replica_of(&first, &module, &more);
    let audit = AuditRecorded {
        audit_id: first.clock.id(),
        action: "lead.patch".to_owned(),
        entity: "lead/7".to_owned(),
        request_id: None,
        before: None,
        after: None,
    };
    let kind = AuditRecorded::kind(Producer::Crm);
    let audited = Event {
        source: Producer::Crm.source().to_owned(),
        type_: kind.type_.to_owned(),
        data: serde_json::to_value(&audit).unwrap(),
        ..first.event(&LeadUpdated::sample())
    };
    for event in [first.event(&LeadUpdated::sample()), audited] {
        let value = eventually_kept(&second, LEADS).await.expect(200)["value"].as_u64().unwrap();
        eventually_kept(&second, "/task/tasks").await;
        counter.value.store(value + 1, Ordering::SeqCst);
        first.deliver_twice(&event).await;
        assert_eq!(eventually_asked(&second, LEADS).await.expect(200)["value"], value + 1);
        assert!(is_hit(&second.get("/task/tasks").await), "it was crm that told");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_must_not_be_kept_is_asked_each_time() {
    let counter = Counter::default();
    let module = counter.start().await;
    let app = app_with(&module, &settings()).await;
    eventually_kept(&app, LEADS).await;
    for what in ["private", "no-store", "cookie", "vary", "text", "large", "missing"] {
        for _ in 0..2 {
            let asked = counter.asked();
            let answer = app.get(&format!("/crm/accounts?{what}")).await;
            assert_eq!(status(&answer), "bhiv-gateway; fwd=uri-miss", "{what}");
            assert_eq!(counter.asked(), asked + 1, "{what}");
        }
    }
    let large = app.get("/crm/accounts?large").await.expect(200);
    assert_eq!(large.as_str().unwrap().len(), 1_000_001);
    assert_eq!(status(&app.get("/crm/activities").await), "bhiv-gateway; fwd=bypass");
    assert_eq!(status(&get_with(&app, LEADS, ("range", "bytes=0-1")).await), "bhiv-gateway; fwd=bypass");
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_are_kept_for_a_while() {
    let counter = Counter::default();
    let module = counter.start().await;
    let mut more = settings();
    more.push("--cache-seconds=1".to_owned());
    let app = app_with(&module, &more).await;
    eventually_kept(&app, LEADS).await;
    counter.value.store(3, Ordering::SeqCst);
    app.eventually(async || (app.get(LEADS).await.expect(200)["value"] == 3).then_some(())).await;

    let mut more = settings();
    more.push("--cache-seconds=0".to_owned());
    let off = app_with(&module, &more).await;
    for _ in 0..3 {
        let answer = off.get(LEADS).await;
        assert_eq!(status(&answer), "bhiv-gateway; fwd=bypass");
        assert!(answer.headers.contains_key("etag"));
    }
}

/// A way to Redis that can be cut.
struct Cable {
    url: String,
    is_cut: Arc<AtomicBool>,
}

impl Cable {
    async fn lay() -> Self {
        let redis = servers().redis_url.expose().to_owned();
        let (rest, database) = redis.rsplit_once('/').unwrap();
        let (credentials, target) = match rest.rsplit_once('@') {
            Some((credentials, target)) => (format!("{credentials}@"), target.to_owned()),
            None => ("redis://".to_owned(), rest.trim_start_matches("redis://").to_owned()),
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("{credentials}{}/{database}", listener.local_addr().unwrap());
        let is_cut = Arc::new(AtomicBool::new(false));
        let cut = Arc::clone(&is_cut);
        tokio::spawn(async move {
            while let Ok((mut near, _)) = listener.accept().await {
                let (target, cut) = (target.clone(), Arc::clone(&cut));
                tokio::spawn(async move {
                    let mut far = TcpStream::connect(target).await.unwrap();
                    let watching = async {
                        while !cut.load(Ordering::SeqCst) {
                            tokio::time::sleep(Duration::from_millis(1)).await;
                        }
                    };
                    tokio::select! {
                        _ = tokio::io::copy_bidirectional(&mut near, &mut far) => {}
                        () = watching => {}
                    }
                });
            }
        });
        Self { url, is_cut }
    }

    fn cut(&self, is_cut: bool) {
        self.is_cut.store(is_cut, Ordering::SeqCst);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_redis_every_request_goes_to_its_module() {
    let counter = Counter::default();
    let module = counter.start().await;
    let (cable, mut more) = (Cable::lay().await, settings());
    more.push(format!("--redis-url={}", cable.url));
    let app = app_with(&module, &more).await;
    eventually_kept(&app, LEADS).await;
    cable.cut(true);
    // Whether Redis is gone already or not: what was written is read.
    for value in 1..=10 {
        assert_eq!(app.post(LEADS, json!({})).await.expect(201)["value"], value);
        let read = app.get(LEADS).await;
        assert!(!is_hit(&read));
        assert_eq!(read.expect(200)["value"], value);
    }
    app.eventually(async || (status(&app.get(LEADS).await) == "bhiv-gateway; fwd=bypass").then_some(()))
        .await;
    counter.value.fetch_add(1, Ordering::SeqCst);
    assert_eq!(app.get(LEADS).await.expect(200)["value"], 11, "nothing is kept");

    app.post(LEADS, json!({})).await.expect(201);
    cable.cut(false);
    // The answer from before the cut is still in Redis, and is not given: the write is made up for first.
    let back = app.eventually(async || {
        let read = app.get(LEADS).await;
        let (is_hit, value) = (is_hit(&read), read.expect(200)["value"].clone());
        assert_eq!(value, 12);
        is_hit.then_some(())
    });
    back.await;
}
