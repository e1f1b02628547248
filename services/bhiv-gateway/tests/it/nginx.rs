//! Behind NGINX with the very files that deploy/ ships.

#![expect(clippy::panic, reason = "a test fails by panicking")]

mod front;
mod stand_in;

use std::net::SocketAddr;
use std::time::Duration;

use bhiv_auth::Role;
use bhiv_events::Contract as _;
use bhiv_events::crm::{LeadCreated, LeadUpdated};
use bhiv_testing::{TestApp, eventually};
use futures_util::StreamExt as _;
use reqwest::header::{CONNECTION, HeaderMap, ORIGIN, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION, UPGRADE};
use reqwest::{Body, Response};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::Role as Side;

use self::front::Front;
use self::stand_in::StandIn;
use crate::app_with;
use crate::module::Module;

/// A gateway that believes NGINX, and nobody else.
async fn replica(module: &Module, limits: &str) -> TestApp {
    let settings = [
        format!("--rate-limits={limits}"),
        "--trusted-proxies=127.0.0.1/32".to_owned(),
        // Each counts alone, so that a test sees what reaches it.
        "--redis-url=redis://127.0.0.1:1/0".to_owned(),
    ];
    app_with(module, &settings).await
}

fn address(app: &TestApp) -> SocketAddr {
    app.url.strip_prefix("http://").unwrap().parse().unwrap()
}

async fn answer(mut connection: TcpStream, text: &str) {
    connection.write_all(text.as_bytes()).await.unwrap();
}

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";

/// Reads until `text` is among what has come.
async fn read_until(response: &mut Response, text: &str) {
    let mut read = String::new();
    while !read.contains(text) {
        let chunk = response.chunk().await.unwrap();
        read += std::str::from_utf8(&chunk.unwrap_or_else(|| panic!("no {text} in {read}"))).unwrap();
    }
}

/// What is there when this test is well.
async fn in_time<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(20), what).await.unwrap()
}

async fn expect_problem(response: Response, status: u16, code: &str) {
    let (got, content_type) = (response.status(), response.headers()["content-type"].clone());
    let body: serde_json::Value = response.json().await.unwrap();
    assert_eq!((got.as_u16(), &body["status"]), (status, &status.into()), "{body:#}");
    assert_eq!(content_type, "application/problem+json");
    assert_eq!(body["code"], code);
    assert!(!body["request_id"].as_str().unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn three_replicas_share_the_work_and_nobody_notices_that_one_stops() {
    let module = Module::start().await;
    let mut replicas = Vec::new();
    for _ in 0..3 {
        replicas.push(replica(&module, "address=none,user=none").await);
    }
    let addresses: Vec<_> = replicas.iter().map(address).collect();
    let front = Front::of(&addresses).await;
    let client = front.client();
    let ask_often = async |path: &str| {
        for _ in 0..30 {
            let status = client.get(format!("{}{path}", front.url)).send().await.unwrap().status();
            assert_eq!(status, 200);
        }
    };
    // Who answered how many, as NGINX has it in its log.
    let answered = async |path: &str| {
        let lines = eventually(async || {
            let lines: Vec<_> = front.log().into_iter().filter(|line| line["url.path"] == path).collect();
            (lines.len() == 30).then_some(lines)
        });
        let lines = lines.await;
        // If several were tried, the last one has answered.
        let of = |line: &serde_json::Value| line["upstream.address"].as_str().unwrap().to_owned();
        let count = |address: &SocketAddr| {
            lines.iter().filter(|line| of(line).ends_with(&address.to_string())).count()
        };
        addresses.iter().map(count).collect::<Vec<_>>()
    };
    ask_often("/").await;
    let shares = answered("/").await;
    assert_eq!(shares, [10, 10, 10]);

    replicas[1].stop().await;
    ask_often("/version").await;
    let shares = answered("/version").await;
    assert_eq!((shares[1], shares[0] + shares[2]), (0, 30));
    assert!(shares[0] >= 10 && shares[2] >= 10, "{shares:?}");

    // What did not reach anybody may be sent to another one, whatever it is.
    for _ in 0..6 {
        let refused = client.post(format!("{}/event/unified", front.url)).body("{}").send().await.unwrap();
        expect_problem(refused, 401, "missing_token").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_that_was_sent_is_not_sent_again() {
    let hangs_up = StandIn::start(|_, _| async {}).await;
    let answers = StandIn::start(|connection, _| answer(connection, OK)).await;
    let front = Front::of(&[hangs_up.address, answers.address]).await;
    let client = front.client();
    let mut answered = Vec::new();
    for _ in 0..2 {
        answered.push(client.post(format!("{}/crm/leads", front.url)).body("{}").send().await.unwrap());
    }
    assert_eq!((hangs_up.seen("POST"), answers.seen("POST")), (1, 1));
    let (failed, done): (Vec<_>, Vec<_>) = answered.into_iter().partition(|answer| answer.status() != 200);
    assert_eq!(done.len(), 1);
    for failed in failed {
        assert_eq!(failed.headers()["retry-after"], "5");
        expect_problem(failed, 503, "unavailable").await;
    }

    // What only reads is.
    for _ in 0..2 {
        let answer = client.get(format!("{}/crm/leads", front.url)).send().await.unwrap();
        assert_eq!(answer.status(), 200);
    }
    assert_eq!((hangs_up.seen("GET"), answers.seen("GET")), (1, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_gateway_counts_the_client_and_not_nginx() {
    let module = Module::start().await;
    let app = replica(&module, "address=2/h,user=none").await;
    let front = Front::of(&[address(&app)]).await;
    let (one, other) = (front.client_at("127.0.0.2"), front.client_at("127.0.0.3"));
    for left in ["1", "0"] {
        let answer = one.get(&front.url).send().await.unwrap();
        assert_eq!(answer.headers()["ratelimit-remaining"], left);
    }
    expect_problem(one.get(&front.url).send().await.unwrap(), 429, "rate_limited").await;
    assert_eq!(other.get(&front.url).send().await.unwrap().headers()["ratelimit-remaining"], "1");
    // NGINX puts what it knows behind what the client has made up.
    let forged = one.get(&front.url).header("x-forwarded-for", "198.51.100.7");
    expect_problem(forged.send().await.unwrap(), 429, "rate_limited").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_arrives_before_the_next_one_happens() {
    let module = Module::start().await;
    let app = replica(&module, "address=none,user=none").await;
    let front = Front::of(&[address(&app)]).await;
    let request = front.client().get(format!("{}/events/stream", front.url));
    let mut stream = request.bearer_auth(app.token(Role::Admin)).send().await.unwrap();
    assert_eq!(stream.headers()["content-type"], "text/event-stream");
    // Nothing follows what is waited for: nobody on the way may wait for more.
    let reading = async {
        read_until(&mut stream, "retry:").await;
        app.deliver_twice(&app.event(&LeadCreated::sample())).await;
        read_until(&mut stream, "event: lead_created").await;
        app.deliver_twice(&app.event(&LeadUpdated::sample())).await;
        read_until(&mut stream, "event: lead_updated").await;
    };
    in_time(Box::pin(reading)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_websocket_of_the_gateway_shows_events() {
    let module = Module::start().await;
    let app = replica(&module, "address=none,user=none").await;
    let front = Front::of(&[address(&app)]).await;
    let request = front.client_of_http1().get(format!("{}/ws", front.url));
    let request = request.bearer_auth(app.token(Role::Admin)).headers(HeaderMap::from_iter(
        [
            (CONNECTION, "upgrade"),
            (UPGRADE, "websocket"),
            (SEC_WEBSOCKET_VERSION, "13"),
            (SEC_WEBSOCKET_KEY, "dGhlIHNhbXBsZSBub25jZQ=="),
            // A page of the same origin, which NGINX has to name as the client did.
            (ORIGIN, front.url.as_str()),
        ]
        .map(|(name, value)| (name, value.parse().unwrap())),
    ));
    let answer = request.send().await.unwrap();
    assert_eq!(answer.status(), 101);
    let socket = answer.upgrade().await.unwrap();
    let mut socket = WebSocketStream::from_raw_socket(socket, Side::Client, None).await;
    let listening = async {
        app.deliver_twice(&app.event(&LeadCreated::sample())).await;
        loop {
            let message = socket.next().await.unwrap().unwrap();
            if message.to_text().is_ok_and(|text| text.contains("bhiv.crm.lead.created")) {
                return;
            }
        }
    };
    in_time(Box::pin(listening)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_stream_goes_to_the_replica_that_has_the_fewest() {
    let mut gateways = Vec::new();
    for name in ["first", "second", "third"] {
        let serve = move |mut connection: TcpStream, _| async move {
            let head = format!("HTTP/1.1 200 OK\r\nx-gateway: {name}\r\n\r\n: connected\n\n");
            connection.write_all(head.as_bytes()).await.unwrap();
            let _ = connection.read(&mut [0]).await;
        };
        gateways.push(StandIn::start(serve).await);
    }
    let addresses: Vec<_> = gateways.iter().map(|gateway| gateway.address).collect();
    let front = Front::of(&addresses).await;
    // A connection each, so that a stream ends when it is dropped.
    let open = async || front.client().get(format!("{}/logs/stream", front.url)).send().await.unwrap();
    let spread = || gateways.iter().map(StandIn::open).collect::<Vec<_>>();
    let mut streams = Vec::new();
    for _ in 0..6 {
        streams.push(open().await);
    }
    assert_eq!(spread(), [2, 2, 2]);
    // In turns, the next two would go to two of them.
    streams.retain(|stream| stream.headers()["x-gateway"] != "second");
    eventually(async || (spread() == [2, 0, 2]).then_some(())).await;
    for _ in 0..2 {
        streams.push(open().await);
    }
    assert_eq!(spread(), [2, 2, 2]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_websocket_is_passed_through_and_no_other_upgrade() {
    let gateway = StandIn::start(|mut connection, head| async move {
        if !head.to_ascii_lowercase().contains("\r\nconnection: upgrade\r\n") {
            return answer(connection, OK).await;
        }
        let switching =
            b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n";
        connection.write_all(switching).await.unwrap();
        let (mut read, mut write) = connection.split();
        let _ = tokio::io::copy(&mut read, &mut write).await;
    });
    let gateway = gateway.await;
    let front = Front::of(&[gateway.address]).await;
    let ask = async |path: &str, upgrade: &str| {
        let request = front.client_of_http1().get(format!("{}{path}", front.url));
        request.header("connection", "upgrade").header("upgrade", upgrade).send().await.unwrap()
    };
    let answer = ask("/ws", "websocket").await;
    assert_eq!(answer.status(), 101);
    let mut socket = answer.upgrade().await.unwrap();
    socket.write_all(b"to and fro").await.unwrap();
    let mut back = [0; 10];
    socket.read_exact(&mut back).await.unwrap();
    assert_eq!(&back, b"to and fro");

    assert_eq!(ask("/ws", "h2c").await.status(), 200);
    assert_eq!(ask("/crm/leads", "websocket").await.status(), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_tls_one_is_told_where_to_go() {
    let module = Module::start().await;
    let app = replica(&module, "address=none,user=none").await;
    let front = Front::of(&[address(&app)]).await;
    let target = format!("{}/crm/leads?q=a%20b", front.url);
    // By the plain port, and by the other one, in plain.
    for origin in [front.plain_url.clone(), front.url.replace("https:", "http:")] {
        let post = front.client().post(format!("{origin}/crm/leads?q=a%20b")).header("host", "evil.example");
        let answer = post.send().await.unwrap();
        assert_eq!(
            (answer.status().as_u16(), &answer.headers()["location"]),
            (308, &target.parse().unwrap())
        );
    }
    let answer = front.client().get(&front.url).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    assert!(answer.headers()["strict-transport-security"].to_str().unwrap().starts_with("max-age="));
    assert_eq!(answer.headers()["server"], "nginx", "and no version");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_passes_as_it_comes() {
    let (arrived, mut arrivals) = mpsc::channel(1);
    let gateway = StandIn::start(move |mut connection, head| {
        let arrived = arrived.clone();
        async move {
            let mut read = head.into_bytes();
            while !String::from_utf8_lossy(&read).contains("first") {
                connection.read_buf(&mut read).await.unwrap();
            }
            arrived.send(()).await.unwrap();
            while !String::from_utf8_lossy(&read).contains("last") {
                connection.read_buf(&mut read).await.unwrap();
            }
            answer(connection, OK).await;
        }
    });
    let gateway = gateway.await;
    let front = Front::of(&[gateway.address]).await;
    let (sender, body) = mpsc::channel::<std::io::Result<&str>>(1);
    let request = front.client().post(format!("{}/crm/import", front.url));
    let request = request.body(Body::wrap_stream(ReceiverStream::new(body))).send();
    let request = tokio::spawn(request);
    sender.send(Ok("first")).await.unwrap();
    in_time(arrivals.recv()).await.unwrap();
    sender.send(Ok("last")).await.unwrap();
    drop(sender);
    assert_eq!(request.await.unwrap().unwrap().status(), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nginx_refuses_is_a_problem_like_any_other() {
    let gateway = StandIn::start(|connection, _| answer(connection, OK)).await;
    let front = Front::of(&[gateway.address]).await;
    let client = front.client_of_http1();
    let url = format!("{}/crm/leads", front.url);
    // It is refused before any of it is sent.
    let nothing = || Body::wrap_stream(futures_util::stream::pending::<std::io::Result<&str>>());
    for (path, megabytes) in [("/crm/leads", 1), ("/logistics/delivery/7/proofs", 2), ("/crm/import", 64)] {
        let large = client.post(format!("{}{path}", front.url)).body(nothing());
        let large = large.header("content-length", megabytes * 1024 * 1024 + 1).send();
        expect_problem(in_time(large).await.unwrap(), 413, "body_too_large").await;
    }
    let header = client.get(&url).header("x-large", "x".repeat(20_000));
    expect_problem(header.send().await.unwrap(), 431, "headers_too_large").await;
    let query = client.get(format!("{url}?q={}", "x".repeat(20_000)));
    expect_problem(query.send().await.unwrap(), 414, "uri_too_long").await;
    let unreadable = client.get(&url).header("host", "in valid");
    expect_problem(unreadable.send().await.unwrap(), 400, "bad_request").await;
    assert_eq!(gateway.seen(""), 0);
    let header = client.get(&url).header("x-large", "x".repeat(12_000));
    assert_eq!(header.send().await.unwrap().status(), 200);
    let named = client.get(&url).header("x-request-id", "request-0042").send().await.unwrap();
    assert_eq!(named.status(), 200);
    eventually(async || {
        front.log().iter().any(|line| line["http.request.id"] == "request-0042").then_some(())
    })
    .await;
}
