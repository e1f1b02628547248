//! Live streams as a WebSocket: what `/events/stream` shows, as JSON texts.

use std::cell::RefCell;
use std::future::{Ready, ready};
use std::rc::Rc;
use std::time::Duration;

use actix_web::body::BoxBody;
use actix_web::dev::Payload;
use actix_web::http::header::{HOST, HeaderMap, ORIGIN};
use actix_web::{FromRequest, HttpRequest, HttpResponse, Responder, rt, web};
use actix_ws::{AggregatedMessage, AggregatedMessageStream, CloseCode, CloseReason, Session};
use bhiv_auth::require::GatewayRead;
use bhiv_web::{Can, Describe, Operation, Problem, Result, ValidQuery, codes};
use futures_util::StreamExt as _;
use serde::Deserialize;
use serde_json::{Value, json};

use super::events::{self, StreamEvents};
use crate::domain::event_type::EventTypes;
use crate::domain::subprotocol::{PROTOCOL, is_same_origin};
use crate::edge::Edge;
use crate::error::ORIGIN_REFUSED;
use crate::live::{End, News, Reader, Wanted};

/// A client who takes nothing for this long is gone.
const PATIENCE: Duration = Duration::from_secs(20);

/// Close code for a token or a session that has ended; those from 4000 on are an application's own.
const TOKEN_EXPIRED: u16 = 4401;

/// Largest message that a client may send, in bytes.
const MAX_MESSAGE: usize = 16 * 1024;

/// What a client may say.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
enum Said {
    /// From now on, events of these kinds; of every kind without `types`.
    Subscribe(Subscribe),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Subscribe {
    types: Option<Vec<String>>,
}

pub async fn connect(
    who: Can<GatewayRead>,
    ValidQuery(query): ValidQuery<StreamEvents>,
    Socket { request, payload }: Socket,
) -> Result<Upgraded> {
    let edge = request.app_data::<web::Data<Edge>>().ok_or(codes::INTERNAL)?;
    check_origin(request.headers(), edge)?;
    let (answer, session, messages) = actix_ws::handle_with_protocols(&request, payload, &[PROTOCOL])
        .map_err(|error| Problem::new(codes::BAD_REQUEST, error.to_string()))?;
    let reader = events::open(&who, query, &request, "ws").await?;
    let messages = messages.max_frame_size(MAX_MESSAGE).aggregate_continuations();
    rt::spawn(serve(reader, session, messages.max_continuation_size(MAX_MESSAGE)));
    Ok(Upgraded(answer))
}

/// Browsers let every page open a WebSocket anywhere, and say which page it is: it has to be one of ours, or one that
/// may read answers (CORS). Other clients say nothing.
fn check_origin(headers: &HeaderMap, edge: &Edge) -> Result<()> {
    let Some(origin) = headers.get(ORIGIN) else { return Ok(()) };
    let host = headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let is_ours = origin.to_str().is_ok_and(|origin| is_same_origin(origin, host));
    if is_ours || edge.lets_in(headers).is_some() { Ok(()) } else { Err(ORIGIN_REFUSED.into()) }
}

/// Until one side has enough.
async fn serve(mut reader: Reader, session: Session, messages: AggregatedMessageStream) {
    let (wanted, heartbeat) = (reader.wanted(), reader.heartbeat());
    let reason = tokio::select! {
        reason = tell(&mut reader, session.clone()) => reason,
        reason = listen(messages, session.clone(), wanted, heartbeat) => reason,
    };
    // Its place is free when the connection is gone, or was given up.
    let _ = tokio::time::timeout(PATIENCE, session.close(reason)).await;
    drop(reader);
}

/// Shows what happens, and pings when nothing does.
async fn tell(reader: &mut Reader, mut session: Session) -> Option<CloseReason> {
    loop {
        let news = reader.next().await;
        let sending = async {
            match &news {
                News::Event(shown) => session.text(shown.frame()).await,
                News::Gap { oldest } => session.text(note("gap", json!({"oldest": oldest}))).await,
                News::Quiet => session.ping(b"").await,
                News::Ended(_) => Ok(()),
            }
        };
        match tokio::time::timeout(PATIENCE, sending).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) => return None,
            Err(_) => {
                reader.ends(End::TooSlow);
                return Some(reason(End::TooSlow));
            }
        }
        if let News::Ended(end) = news {
            return Some(reason(end));
        }
    }
}

/// Hears the client, and finds out when they are gone: whoever is there answers pings.
async fn listen(
    mut messages: AggregatedMessageStream,
    mut session: Session,
    wanted: Rc<RefCell<Wanted>>,
    heartbeat: Duration,
) -> Option<CloseReason> {
    let patience = heartbeat * 2 + PATIENCE;
    while let Ok(Some(Ok(message))) = tokio::time::timeout(patience, messages.next()).await {
        let heard = match message {
            AggregatedMessage::Text(text) => session.text(answer(&text, &wanted)).await,
            AggregatedMessage::Binary(_) => session.text(fault("a message is a text of JSON")).await,
            AggregatedMessage::Ping(bytes) => session.pong(&bytes).await,
            AggregatedMessage::Pong(_) => Ok(()),
            AggregatedMessage::Close(reason) => return reason,
        };
        if heard.is_err() {
            return None;
        }
    }
    None
}

/// Does what the client says, and says what was done.
fn answer(text: &str, wanted: &RefCell<Wanted>) -> String {
    let Said::Subscribe(Subscribe { types }) = match serde_json::from_str(text) {
        Ok(said) => said,
        Err(error) => return fault(&error.to_string()),
    };
    let types = match types.map(|types| EventTypes::try_from(types.join(","))).transpose() {
        Ok(types) => types.map(|EventTypes(types)| types),
        Err(error) => return fault(&error),
    };
    let told = note("subscribed", json!({"types": types}));
    wanted.borrow_mut().types = types;
    told
}

fn fault(why: &str) -> String {
    note("error", json!({"code": codes::INVALID_INPUT.code, "detail": why}))
}

/// What is no event has no place.
fn note(event: &str, data: Value) -> String {
    json!({"event": event, "data": data}).to_string()
}

fn reason(end: End) -> CloseReason {
    let code = match end {
        End::Expired | End::LoggedOut => CloseCode::Other(TOKEN_EXPIRED),
        End::TooSlow | End::Trouble => CloseCode::Again,
        End::Stopping => CloseCode::Away,
    };
    CloseReason { code, description: Some(end.name().to_owned()) }
}

/// A connection that is to become a WebSocket.
pub struct Socket {
    request: HttpRequest,
    payload: web::Payload,
}

impl FromRequest for Socket {
    type Error = actix_web::Error;
    type Future = Ready<std::result::Result<Self, actix_web::Error>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let payload = web::Payload::from_request(request, payload).into_inner();
        ready(payload.map(|payload| Self { request: request.clone(), payload }))
    }
}

impl Describe for Socket {
    fn describe(operation: &mut Operation) {
        operation.answers_with(
            "101",
            "Texts like `{\"id\": 1, \"event\": \"lead_created\", \"data\": {CloudEvents JSON}}`. A client may send \
             `{\"subscribe\": {\"types\": [\"lead_created\"]}}`. A browser, which cannot set headers, brings its token \
             with the subprotocols `bhiv.v1, bearer.<token>`. Closes with 4401 when the token ends, 1013 when the \
             client is too slow, 1001 when the gateway stops",
            None,
        );
    }
}

/// 101.
pub struct Upgraded(HttpResponse);

impl Responder for Upgraded {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        self.0
    }
}

impl Describe for Upgraded {
    fn describe(_: &mut Operation) {}
}
