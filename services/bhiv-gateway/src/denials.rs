//! The audit of refused requests: gathered, and written in batches, so that refusing stays cheap.

use std::collections::BTreeMap;
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::{HttpMessage as _, HttpRequest};
use bhiv_events::core::AccessDenied;
use bhiv_service::Context;
use bhiv_web::RequestMeta;
use tokio::sync::mpsc::{self, Receiver, Sender};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::commands::note_denials::NoteDenials;
use crate::limits::Client;

/// Refusals that may wait to be written. More are only counted: a flood must not fill the memory.
const WAITING: usize = 10_000;

/// Refusals that are written together.
const BATCH: usize = 200;

/// How long a batch waits for more.
const LINGER: Duration = Duration::from_millis(200);

/// Takes note of refused requests. Cloning it shares it.
#[derive(Clone, Debug)]
pub struct Denials(Sender<Denied>);

/// A refusal and who was refused.
#[derive(Debug)]
pub struct Denied {
    actor: String,
    what: AccessDenied,
}

impl Denials {
    /// One end takes note, the other is for [`write_down`].
    pub fn new() -> (Self, Receiver<Denied>) {
        let (sender, receiver) = mpsc::channel(WAITING);
        (Self(sender), receiver)
    }

    /// Takes note of a refused request, without waiting.
    pub fn note(
        &self,
        request: &HttpRequest,
        caller: Option<String>,
        status: StatusCode,
        code: Option<&str>,
    ) {
        let what = AccessDenied {
            request_id: RequestMeta::of(request).id,
            code: code.unwrap_or("refused_by_module").to_owned(),
            status: status.as_u16(),
            method: request.method().to_string(),
            path: request.path().to_owned(),
            address: request.extensions().get().map(|Client(address)| address.to_string()),
        };
        let actor = caller.unwrap_or_else(|| "anonymous".to_owned());
        if self.0.try_send(Denied { actor, what }).is_err() {
            warn!("a refused request is not audited: too many are waiting");
        }
    }
}

/// Writes refusals down until `stop`, and what is left then.
pub async fn write_down(mut denied: Receiver<Denied>, context: Context, stop: CancellationToken) {
    loop {
        let mut batch = Vec::new();
        tokio::select! {
            received = denied.recv_many(&mut batch, BATCH) => {
                if received == 0 {
                    return;
                }
            }
            () = stop.cancelled() => {
                denied.close();
                while denied.recv_many(&mut batch, BATCH).await > 0 {}
            }
        }
        if !stop.is_cancelled() {
            tokio::time::sleep(LINGER).await;
            while let Ok(more) = denied.try_recv() {
                batch.push(more);
            }
        }
        write(batch, &context).await;
        if stop.is_cancelled() {
            return;
        }
    }
}

/// In the name of each caller: an event has one actor.
async fn write(batch: Vec<Denied>, context: &Context) {
    let mut by_actor: BTreeMap<String, Vec<AccessDenied>> = BTreeMap::new();
    for Denied { actor, what } in batch {
        by_actor.entry(actor).or_default().push(what);
    }
    for (actor, denials) in by_actor {
        let count = denials.len();
        if let Err(error) = context.run(NoteDenials::origin(actor), NoteDenials(denials)).await {
            warn!(?error, count, "refused requests are not audited");
        }
    }
}
