use std::collections::BTreeSet;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use actix_web::web::{Bytes, Data};
use actix_web::{HttpRequest, HttpResponse, rt};
use bhiv_auth::require::GatewayRead;
use bhiv_auth::{Access, Caller, Module, Permission};
use bhiv_service::Context;
use bhiv_web::{Can, EventStream, Problem, Result, ValidQuery, codes};
use serde::Deserialize;
use tokio::sync::broadcast::Receiver;
use tokio::sync::mpsc::{self, Sender};
use tokio_stream::wrappers::ReceiverStream;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::consent::Consents;
use crate::live::{Live, PAGE};
use crate::store::live_event::{self, LiveEvent};

/// A comment is sent when nothing else is, so that proxies keep the connection.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// A reader who takes nothing for this long is gone.
const PATIENCE: Duration = Duration::from_secs(10);

/// Which events.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StreamEvents {
    /// Public names, with commas between them, for example `lead_created,order_created`.
    types: Option<String>,
    /// Those of this causal story.
    correlation_id: Option<Uuid>,
}

/// Why a stream ends.
struct Ended;

pub async fn stream(
    who: Can<GatewayRead>,
    ValidQuery(query): ValidQuery<StreamEvents>,
    request: HttpRequest,
    live: Data<Live>,
    consents: Data<Consents>,
    gateway: Data<Context>,
) -> Result<EventStream> {
    let after = match request.headers().get("last-event-id") {
        None => None,
        Some(id) => Some(id.to_str().ok().and_then(|id| id.parse().ok()).ok_or_else(|| {
            Problem::new(codes::MALFORMED_HEADER, "Last-Event-ID must be an id of this stream")
        })?),
    };
    let (sender, receiver) = mpsc::channel(64);
    let reader = Reader {
        types: query.types.map(|types| types.split(',').map(|name| name.trim().to_owned()).collect()),
        correlation_id: query.correlation_id.map(|id| id.to_string()),
        caller: Rc::clone(&who.caller),
        consents,
        sender,
    };
    // Before the past is read: nothing that happens meanwhile is missed.
    let news = live.subscribe();
    rt::spawn(async move {
        // The reader finds out by the end of the stream, and comes back with the last id.
        let _ = reader.serve(news, after, &gateway).await;
    });
    let answer = HttpResponse::Ok()
        .content_type("text/event-stream")
        .insert_header(("cache-control", "no-cache"))
        .insert_header(("x-accel-buffering", "no"))
        .streaming(ReceiverStream::new(receiver));
    Ok(EventStream(answer))
}

/// The highest place there is.
async fn end(gateway: &Context) -> std::result::Result<i64, Ended> {
    let mut conn = gateway.read().await.map_err(|_| Ended)?;
    live_event::last(&mut conn).await.map_err(|_| Ended)
}

struct Reader {
    types: Option<BTreeSet<String>>,
    correlation_id: Option<String>,
    caller: Rc<Caller>,
    consents: Data<Consents>,
    sender: Sender<std::result::Result<Bytes, actix_web::Error>>,
}

impl Reader {
    async fn serve(
        &self,
        mut news: Receiver<Arc<LiveEvent>>,
        after: Option<i64>,
        gateway: &Context,
    ) -> std::result::Result<(), Ended> {
        let after = match after {
            Some(after) => after,
            None => end(gateway).await?,
        };
        self.send("retry: 2000\n: connected\n\n".to_owned()).await?;
        let mut last = self.catch_up(after, gateway).await?;
        let validity = (self.caller.expires - gateway.clock().now()).to_std().unwrap_or_default();
        let mut expiry = std::pin::pin!(tokio::time::sleep(validity));
        loop {
            tokio::select! {
                event = news.recv() => {
                    // Too far behind: the stream ends, and the reader catches up when it comes back.
                    let event = event.map_err(|_| Ended)?;
                    if event.seq > last {
                        last = event.seq;
                        self.show(&event).await?;
                    }
                }
                () = tokio::time::sleep(HEARTBEAT) => self.send(": still here\n\n".to_owned()).await?,
                () = &mut expiry => return self.send("event: token_expired\ndata: {}\n\n".to_owned()).await,
                () = gateway.stopping().cancelled() => return Ok(()),
                () = self.sender.closed() => return Ok(()),
            }
        }
    }

    /// Shows everything above the place `after` and answers the last place.
    async fn catch_up(&self, mut after: i64, gateway: &Context) -> std::result::Result<i64, Ended> {
        loop {
            let mut conn = gateway.read().await.map_err(|_| Ended)?;
            let page = live_event::after(&mut conn, after, PAGE).await.map_err(|_| Ended)?;
            drop(conn);
            let Some(end) = page.last() else { return Ok(after) };
            after = end.seq;
            for event in &page {
                self.show(event).await?;
            }
        }
    }

    async fn show(&self, live: &LiveEvent) -> std::result::Result<(), Ended> {
        let text = |name: &str| live.event.get(name).and_then(|value| value.as_str());
        let name = text("type").and_then(bhiv_events::public_name).unwrap_or_default();
        let is_asked_for = self.types.as_ref().is_none_or(|types| types.contains(&name))
            && self.correlation_id.as_deref().is_none_or(|id| text("correlationid") == Some(id));
        if !is_asked_for || !self.may_see(&live.module) || !self.consents.may_show(&live.event) {
            return Ok(());
        }
        self.send(format!("id: {}\nevent: {name}\ndata: {}\n\n", live.seq, live.event)).await
    }

    fn may_see(&self, module: &str) -> bool {
        let module = match module {
            "crm" => Module::Crm,
            "logistics" => Module::Logistics,
            "task" => Module::Task,
            "compliance" => Module::Compliance,
            "rl" => Module::Rl,
            "logging" => Module::Logging,
            _ => Module::Gateway,
        };
        self.caller.may(Permission { module, access: Access::Read })
    }

    async fn send(&self, text: String) -> std::result::Result<(), Ended> {
        let sending = self.sender.send_timeout(Ok(Bytes::from(text)), PATIENCE);
        sending.await.map_err(|_| Ended)
    }
}
