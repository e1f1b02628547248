use std::time::Duration;

use bhiv_auth::Role;
use bhiv_events::Contract as _;
use bhiv_events::compliance::ComplianceChecked;
use bhiv_events::crm::{LeadCreated, LeadUpdated};
use bhiv_testing::TestApp;
use futures_util::{SinkExt as _, StreamExt as _};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::handshake::client::{Request, Response};
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::flood::flood;
use crate::live::short_token;
use crate::module::Module;
use crate::{app, app_with};

pub type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

fn request(app: &TestApp, query: &str, headers: &[(&'static str, &str)]) -> Request {
    let url = format!("{}/ws{query}", app.url.replace("http://", "ws://"));
    let mut request = url.into_client_request().unwrap();
    for (name, value) in headers {
        request.headers_mut().insert(*name, value.parse().unwrap());
    }
    request
}

async fn connect(request: Request) -> Result<(Socket, Response), u16> {
    match connect_async(request).await {
        Ok(connected) => Ok(connected),
        Err(Error::Http(answer)) => Err(answer.status().as_u16()),
        // No answer at all.
        Err(_) => Err(0),
    }
}

pub async fn open(app: &TestApp, token: &str, query: &str) -> Socket {
    connect(request(app, query, &[("authorization", &format!("Bearer {token}"))])).await.unwrap().0
}

async fn next(socket: &mut Socket) -> Message {
    let message = tokio::time::timeout(Duration::from_secs(20), socket.next()).await.unwrap();
    message.unwrap().unwrap()
}

/// The next text.
pub async fn text(socket: &mut Socket) -> Value {
    loop {
        if let Message::Text(text) = next(socket).await {
            return serde_json::from_str(&text).unwrap();
        }
    }
}

/// The code that the server closes with.
async fn close_code(socket: &mut Socket) -> u16 {
    loop {
        if let Message::Close(Some(CloseFrame { code, .. })) = next(socket).await {
            return code.into();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn events_come_as_texts_and_the_client_chooses_which() {
    let module = Module::start().await;
    let app = app(&module).await;
    let mut socket = open(&app, &app.token(Role::Viewer), "?types=lead_created,compliance_checked").await;
    app.deliver_twice(&app.event(&LeadUpdated::sample())).await;
    app.deliver_twice(&app.event(&ComplianceChecked::sample())).await;
    let created = app.event(&LeadCreated::sample());
    app.deliver_twice(&created).await;
    let shown = text(&mut socket).await;
    assert_eq!((&shown["event"], &shown["id"]), (&json!("lead_created"), &json!(3)), "what it may see");
    assert_eq!(shown["data"], serde_json::to_value(&created).unwrap());

    socket.send(Message::text(r#"{"subscribe": {"types": ["nonsense"]}}"#)).await.unwrap();
    let fault = text(&mut socket).await;
    assert!(fault["data"]["detail"].as_str().unwrap().contains("order_created"), "{fault}");
    socket.send(Message::text("nonsense")).await.unwrap();
    assert_eq!(text(&mut socket).await["event"], "error");
    socket.send(Message::text(r#"{"subscribe": {"types": ["lead_updated"]}}"#)).await.unwrap();
    let told = text(&mut socket).await;
    assert_eq!(told, json!({"event": "subscribed", "data": {"types": ["lead_updated"]}}));
    app.deliver_twice(&app.event(&LeadCreated::sample())).await;
    app.deliver_twice(&app.event(&LeadUpdated::sample())).await;
    assert_eq!(text(&mut socket).await["event"], "lead_updated");
    // Of every kind again.
    socket.send(Message::text(r#"{"subscribe": {}}"#)).await.unwrap();
    assert_eq!(text(&mut socket).await["data"]["types"], Value::Null);
    app.deliver_twice(&app.event(&LeadCreated::sample())).await;
    let last = text(&mut socket).await;
    assert_eq!(last["event"], "lead_created");

    let mut again = open(&app, &app.token(Role::Admin), "?last_event_id=5").await;
    assert_eq!(text(&mut again).await, last);
    socket.close(None).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_brings_its_token_as_a_subprotocol() {
    let module = Module::start().await;
    let app = app_with(&module, &["--cors-origins=https://app.example".to_owned()]).await;
    let token = app.token(Role::Viewer);
    let offered = format!("bhiv.v1, bearer.{token}");
    let own_origin = ("origin", app.url.as_str());
    let (mut socket, answer) =
        connect(request(&app, "", &[("sec-websocket-protocol", &offered), own_origin])).await.unwrap();
    assert_eq!(answer.headers()["sec-websocket-protocol"], "bhiv.v1", "the token is not repeated");
    app.deliver_twice(&app.event(&LeadCreated::sample())).await;
    assert_eq!(text(&mut socket).await["event"], "lead_created");

    let friend = [("sec-websocket-protocol", offered.as_str()), ("origin", "https://app.example")];
    assert!(connect(request(&app, "", &friend)).await.is_ok(), "a page that may read answers");

    for (status, query, headers) in [
        (401, "", vec![("sec-websocket-protocol", "bhiv.v1")]),
        (401, "", vec![("sec-websocket-protocol", "bhiv.v1, bearer.nonsense")]),
        (401, "?access_token=x", vec![]),
        (403, "", vec![("sec-websocket-protocol", &offered), ("origin", "https://evil.example")]),
        (403, "", vec![("sec-websocket-protocol", &offered), ("origin", "null")]),
        (422, "?types=nonsense", vec![("sec-websocket-protocol", &offered)]),
        (422, "?token=x", vec![("sec-websocket-protocol", &offered)]),
    ] {
        assert_eq!(connect(request(&app, query, &headers)).await.err(), Some(status), "{query} {headers:?}");
    }
    // Elsewhere a subprotocol is no token.
    let elsewhere = app.request(Method::GET, "/auth/me").header("sec-websocket-protocol", &offered);
    TestApp::read(elsewhere).await.expect_problem(401, "missing_token");
    // Without a WebSocket there is nothing to see.
    app.get("/ws").await.expect_problem(400, "bad_request");
}

#[tokio::test(flavor = "multi_thread")]
async fn it_pings_and_closes_with_its_token_and_with_the_gateway() {
    let module = Module::start().await;
    let app = app_with(&module, &["--stream-heartbeat-ms=100".to_owned()]).await;
    let mut short = open(&app, &short_token(&app), "").await;
    assert!(matches!(next(&mut short).await, Message::Ping(_)));
    assert_eq!(close_code(&mut short).await, 4401);
    let mut long = open(&app, &app.token(Role::Admin), "").await;
    app.context.stopping().cancel();
    assert_eq!(close_code(&mut long).await, 1001);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_client_is_asked_to_come_back_later() {
    let module = Module::start().await;
    let app = app_with(&module, &["--stream-most-behind=1000".to_owned()]).await;
    let mut slow = open(&app, &app.token(Role::Admin), "").await;
    let quick = app.request(Method::GET, "/events/stream").bearer_auth(app.token(Role::Admin));
    flood(&app, &mut quick.send().await.unwrap()).await;
    assert_eq!(close_code(&mut slow).await, 1013);
}
