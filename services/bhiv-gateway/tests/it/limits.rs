use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::SeqCst;
use std::time::Instant;

use actix_web::{HttpRequest, HttpResponse, web};
use bhiv_auth::Role;
use bhiv_events::core::AccessDenied;
use bhiv_testing::{Answer, TestApp};
use futures_util::future::join_all;
use reqwest::Method;

use crate::module::Module;
use crate::{app_with, prefix, replica_of};

fn quotas(text: &str) -> String {
    format!("--rate-limits={text}")
}

/// Nobody listens there.
fn no_redis() -> String {
    "--redis-url=redis://127.0.0.1:1/0".to_owned()
}

async fn ask(app: &TestApp, path: &str) -> Answer {
    TestApp::read(app.request(Method::GET, path)).await
}

async fn ask_as(app: &TestApp, token: &str) -> Answer {
    TestApp::read(app.request(Method::GET, "/crm/leads").bearer_auth(token)).await
}

fn remaining(answer: &Answer) -> u32 {
    answer.headers["ratelimit-remaining"].to_str().unwrap().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn replicas_count_together() {
    let module = Module::start().await;
    let settings =
        [quotas("address=50/m,address /docs=1000/h,user=1000/m"), format!("--redis-prefix={}", prefix())];
    let mut replicas = Vec::new();
    for _ in 0..3 {
        replicas.push(app_with(&module, &settings).await);
    }
    // As soon as each of them has found Redis: what one has taken is missing for the others.
    for _ in 0..100 {
        ask(&replicas[0], "/docs").await;
    }
    for replica in &replicas[1..] {
        replica.eventually(async || (remaining(&ask(replica, "/docs").await) < 950).then_some(())).await;
    }

    let began = Instant::now();
    let asking = (0..150).zip(replicas.iter().cycle()).map(|(_, replica)| ask(replica, "/"));
    let allowed = join_all(asking).await.iter().filter(|answer| answer.status == 200).count();
    // All at once, and one more each 1.2 s.
    let more = usize::try_from(began.elapsed().as_millis() / 1_200).unwrap() + 1;
    assert!((50..=50 + more).contains(&allowed), "{allowed} of 150, and {more} more at most");
}

/// Reads of somebody who is far from their limit are counted while their module is asked.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_asked_at_once_is_counted_exactly_and_no_write_goes_on_uncounted() {
    let (reads, writes) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let counted = (Arc::clone(&reads), Arc::clone(&writes));
    let module = Module::serving(move |app| {
        let (reads, writes) = counted.clone();
        app.default_service(web::to(move |request: HttpRequest| {
            let count = if request.method() == "GET" { &reads } else { &writes };
            count.fetch_add(1, SeqCst);
            std::future::ready(HttpResponse::Ok())
        }));
    });
    let module = module.await;
    let settings =
        [quotas("address=1000/s,address /docs=1000/h,user=40/h"), format!("--redis-prefix={}", prefix())];
    let first = app_with(&module, &settings).await;
    let second = replica_of(&first, &module, &settings);
    let replicas = [first, second];
    for _ in 0..100 {
        ask(&replicas[0], "/docs").await;
    }
    replicas[1].eventually(async || (remaining(&ask(&replicas[1], "/docs").await) < 950).then_some(())).await;

    let burst = async |method: Method, token: &str| {
        let asking =
            replicas.iter().cycle().take(100).map(|replica| {
                TestApp::read(replica.request(method.clone(), "/crm/leads").bearer_auth(token))
            });
        let answers = join_all(asking).await;
        for refused in answers.iter().filter(|answer| answer.status != 200) {
            assert_eq!(refused.status, 429);
            assert_eq!(remaining(refused), 0);
            assert!(refused.headers.contains_key("retry-after"));
        }
        answers.iter().filter(|answer| answer.status == 200).count()
    };
    let (reader, writer) = (replicas[0].token(Role::Sales), replicas[0].token(Role::Manager));
    // Each replica has verified the tokens before, and for the address; so it knows whom it counts.
    for (replica, token) in replicas.iter().flat_map(|replica| [(replica, &reader), (replica, &writer)]) {
        ask_as(replica, token).await.expect(200);
        ask_as(replica, token).await.expect(200);
    }
    let before = reads.load(SeqCst);
    assert_eq!(burst(Method::GET, &reader).await, 38);
    assert!((38..=100).contains(&(reads.load(SeqCst) - before)));
    // Whoever has nothing left does not reach the module any more, nor do writes beyond the limit ever.
    let before = reads.load(SeqCst);
    assert_eq!(burst(Method::GET, &reader).await, 0);
    assert_eq!(reads.load(SeqCst), before);
    assert_eq!(burst(Method::POST, &writer).await, 38);
    assert_eq!(writes.load(SeqCst), 38);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_redis_each_process_counts() {
    let module = Module::start().await;
    let app = app_with(&module, &[quotas("address=3/m,user=1000/m"), no_redis()]).await;
    for left in [2, 1, 0] {
        let answer = ask(&app, "/").await;
        assert_eq!(answer.headers["ratelimit-limit"], "3");
        assert_eq!(remaining(&answer), left);
        answer.expect(200);
    }
    let refused = ask(&app, "/").await;
    assert_eq!(refused.headers["retry-after"], "20");
    assert_eq!(refused.headers["ratelimit-reset"], "60");
    let problem = refused.expect_problem(429, "rate_limited");
    assert_eq!(problem["retry_after"], 20);
    // Whoever watches over the process is not counted, and neither refused.
    ask(&app, "/health/live").await.expect(200);

    let denied = app.eventually(async || app.recorded_as::<AccessDenied>().await.into_iter().next()).await;
    assert_eq!((denied.status, denied.code.as_str()), (429, "rate_limited"));
    assert_eq!(denied.address.as_deref(), Some("127.0.0.1"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_verified_token_has_a_quota_of_its_own() {
    let module = Module::start().await;
    let app = app_with(&module, &[quotas("address=2/m,user=3/m,admin=none"), no_redis()]).await;
    let (sales, viewer, admin) = (app.token(Role::Sales), app.token(Role::Viewer), app.token(Role::Admin));
    // Nobody knows this token yet: it counts for the address.
    assert_eq!(ask_as(&app, &sales).await.headers["ratelimit-limit"], "2");
    for left in [2, 1, 0] {
        let answer = ask_as(&app, &sales).await;
        assert_eq!((answer.headers["ratelimit-limit"].to_str().unwrap(), remaining(&answer)), ("3", left));
        answer.expect(200);
    }
    ask_as(&app, &sales).await.expect_problem(429, "rate_limited");
    // Others have their own. A forged token would have drawn on the address.
    ask_as(&app, &viewer).await.expect(200);
    ask_as(&app, &viewer).await.expect(200);
    ask_as(&app, &admin).await.expect_problem(429, "rate_limited");
    ask_as(&app, "forged").await.expect_problem(429, "rate_limited");
}

#[tokio::test(flavor = "multi_thread")]
async fn administrators_are_not_counted() {
    let module = Module::start().await;
    let app = app_with(&module, &[quotas("address=1/h,user=1/h,admin=none"), no_redis()]).await;
    for _ in 0..20 {
        app.get("/crm/leads").await.expect(200);
    }
    assert!(app.get("/crm/leads").await.headers.get("ratelimit-limit").is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_behind_our_proxy_is_told_from_others() {
    let module = Module::start().await;
    let limits = quotas("address=1/h,user=1/h");
    let forwarded = async |app: &TestApp, address: &str| {
        TestApp::read(app.request(Method::GET, "/").header("x-forwarded-for", address)).await
    };
    let behind =
        app_with(&module, &[limits.clone(), no_redis(), "--trusted-proxies=127.0.0.0/8".to_owned()]).await;
    forwarded(&behind, "198.51.100.1").await.expect(200);
    forwarded(&behind, "198.51.100.2").await.expect(200);
    // What the client itself has put before it is of no use.
    forwarded(&behind, "203.0.113.9, 198.51.100.1").await.expect_problem(429, "rate_limited");

    let direct = app_with(&module, &[limits, no_redis()]).await;
    forwarded(&direct, "198.51.100.1").await.expect(200);
    forwarded(&direct, "198.51.100.2").await.expect_problem(429, "rate_limited");
}
