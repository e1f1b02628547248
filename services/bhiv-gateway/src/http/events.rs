//! Live streams as server-sent events, and the latest events as a list.

use std::convert::Infallible;

use actix_web::web::{Bytes, Data, Json};
use actix_web::{HttpRequest, HttpResponse};
use bhiv_auth::require::GatewayRead;
use bhiv_service::Context;
use bhiv_web::{Can, Cursor, EventStream, FreeForm, Id, Limit, Page, Problem, Result, ValidQuery, codes};
use chrono::{DateTime, Utc};
use futures_util::{StreamExt as _, stream};
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::domain::event_type::{self, EventType, EventTypes};
use crate::domain::visible::modules;
use crate::error::{STREAMS_FULL, TOO_MANY_STREAMS};
use crate::live::{End, Full, Live, News, Reader, Sources, Streams, Wanted};
use crate::sessions::Sessions;
use crate::store::live_event::{self, Filter};
use crate::visible::Visible;

/// Which events.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StreamEvents {
    types: Option<EventTypes>,
    /// Those of this causal story.
    correlation_id: Option<Uuid>,
    /// The last event that was seen, where `Last-Event-ID` cannot be sent; the header counts more.
    #[schema(minimum = 0)]
    last_event_id: Option<i64>,
}

/// Begins a stream for whoever asks, by whichever transport.
pub async fn open(
    who: &Can<GatewayRead>,
    query: StreamEvents,
    request: &HttpRequest,
    transport: &'static str,
) -> Result<Reader> {
    let (sources, streams) = service(request).ok_or(codes::INTERNAL)?;
    let after = match request.headers().get("last-event-id") {
        None => query.last_event_id,
        Some(id) => Some(id.to_str().ok().and_then(|id| id.parse().ok()).ok_or_else(|| {
            Problem::new(codes::MALFORMED_HEADER, "Last-Event-ID must be an id of this stream")
        })?),
    };
    let place = streams.open(&who.caller.id, transport).map_err(|full| match full {
        Full::OfUser => Problem::new(TOO_MANY_STREAMS, "close another stream first"),
        Full::OfReplica => Problem::from(STREAMS_FULL).retry_after(5),
    })?;
    let types = query.types.map(|EventTypes(types)| types);
    let wanted = Wanted { types, correlation_id: query.correlation_id };
    Ok(Reader::new(sources, who.caller.clone(), wanted, after, place).await?)
}

fn service(request: &HttpRequest) -> Option<(Sources<'_>, &Streams)> {
    let sources = Sources {
        live: request.app_data::<Data<Live>>()?,
        gateway: request.app_data::<Data<Context>>()?,
        visible: request.app_data::<Data<Visible>>()?,
        sessions: request.app_data::<Data<Sessions>>()?,
    };
    Some((sources, request.app_data::<Data<Streams>>()?))
}

pub async fn stream(
    who: Can<GatewayRead>,
    ValidQuery(query): ValidQuery<StreamEvents>,
    request: HttpRequest,
) -> Result<EventStream> {
    let reader = open(&who, query, &request, "sse").await?;
    let head = stream::iter([Bytes::from_static(b"retry: 2000\n: connected\n\n")]);
    let news = stream::unfold(Some(reader), async |reader| {
        let mut reader = reader?;
        let news = reader.next().await;
        let is_last = matches!(news, News::Ended(_));
        Some((text(&news), (!is_last).then_some(reader)))
    });
    let answer = HttpResponse::Ok()
        .content_type("text/event-stream")
        .insert_header(("cache-control", "no-cache"))
        .insert_header(("x-accel-buffering", "no"))
        .streaming(head.chain(news).map(Ok::<_, Infallible>));
    Ok(EventStream(answer))
}

/// A reader whose stream ends finds out why and comes back with the last id.
fn text(news: &News) -> Bytes {
    match news {
        News::Event(shown) => shown.sse(),
        News::Gap { oldest } => format!("event: gap\ndata: {}\n\n", json!({"oldest": oldest})).into(),
        News::Quiet => Bytes::from_static(b": still here\n\n"),
        News::Ended(End::Stopping | End::Trouble) => Bytes::from_static(b": bye\n\n"),
        News::Ended(end) => format!("event: {}\ndata: {{}}\n\n", end.name()).into(),
    }
}

/// Which of the latest events, and how many of them.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ListEvents {
    /// Those with this public name.
    event_type: Option<EventType>,
    /// The same as `event_type`.
    r#type: Option<EventType>,
    /// Those of this causal story.
    correlation_id: Option<Uuid>,
    /// Those at this time or later.
    since: Option<DateTime<Utc>>,
    /// Those before this time.
    until: Option<DateTime<Utc>>,
    #[serde(default)]
    limit: Limit,
    cursor: Option<Cursor>,
}

pub async fn list(
    who: Can<GatewayRead>,
    ValidQuery(query): ValidQuery<ListEvents>,
    gateway: Data<Context>,
    visible: Data<Visible>,
) -> Result<Json<Page<FreeForm>>> {
    let ListEvents { event_type, r#type, correlation_id, since, until, limit, cursor } = query;
    let types = event_type.or(r#type).map(|name| event_type::types(name.name()));
    let filter = Filter { modules: modules(&who.caller), types, correlation_id, since, until };
    // A cursor is an id, and the place of a live event is no more than the lower half of one.
    let below = Cursor::id(cursor).and_then(|id| i64::try_from(id.as_u128()).ok());
    let mut conn = gateway.read().await?;
    let events = live_event::list(&mut conn, &filter, below, limit.and_one()).await?;
    let total = live_event::count(&mut conn, &filter).await?;
    let place = |seq: i64| Uuid::from_u128(u128::from(seq.unsigned_abs()));
    let Page { items, total, next_cursor } = Page::new(events, limit, total, |event| place(event.seq));
    let shown = items.into_iter().filter(|event| visible.may_see(&who.caller, &event.module, &event.event));
    Ok(Json(Page { items: shown.map(|event| FreeForm(event.event)).collect(), total, next_cursor }))
}

pub async fn read(
    who: Can<GatewayRead>,
    Id(id): Id<Uuid>,
    gateway: Data<Context>,
    visible: Data<Visible>,
) -> Result<Json<FreeForm>> {
    let event = live_event::find(&mut *gateway.read().await?, id).await?;
    let event = event.filter(|event| visible.may_see(&who.caller, &event.module, &event.event));
    event.map(|event| Json(FreeForm(event.event))).ok_or_else(|| {
        Problem::not_found(format!("event/{id} among the latest; an older one is in /logs/{id}"))
    })
}
