//! The body of a request, on its way to a module.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use actix_web::error::PayloadError;
use actix_web::http::header::{CONTENT_LENGTH, HeaderMap, TRANSFER_ENCODING};
use actix_web::web::{Bytes, BytesMut, Payload};
use bhiv_web::{Problem, Result, codes};
use futures_util::{Stream, StreamExt as _, stream};
use http_body_util::{Either, StreamBody};
use hyper::body::Frame;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout_at};
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;

use super::client::Sent;
use crate::domain::bodies::SMALL;
use crate::error::BODY_TIMEOUT;

/// What a module is sent.
#[derive(Debug)]
pub enum Body {
    /// Nothing.
    Empty,
    /// The whole of it.
    Whole(Bytes),
    /// As it arrives. It can be sent once.
    Stream(Option<Upload>),
}

/// A body that is still arriving.
#[derive(Debug)]
pub struct Upload {
    /// What is sent.
    pub body: Sent,
    /// Its length in bytes, if the client said so.
    pub length: Option<u64>,
    /// How far it is.
    pub progress: Progress,
}

/// How far a body is. Cloning it shares it.
#[derive(Clone, Debug, Default)]
pub struct Progress(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    fault: OnceLock<Problem>,
    arrived: CancellationToken,
}

impl Progress {
    /// Why the body will never be whole, if so. That is not the module's fault.
    pub fn fault(&self) -> Option<Problem> {
        self.0.fault.get().cloned()
    }

    /// Whether all of it has arrived.
    pub fn has_arrived(&self) -> bool {
        self.0.arrived.is_cancelled()
    }

    /// Waits until all of it has arrived.
    pub async fn arrived(&self) {
        self.0.arrived.cancelled().await;
    }
}

impl Body {
    /// That of a request. A small one is read first: so it can be sent again, and a slow client keeps no module
    /// waiting. One of unknown length is read as far only if it may have to be sent again.
    ///
    /// # Errors
    /// When it is too large, or stops to arrive.
    pub async fn of(headers: &HeaderMap, mut payload: Payload, has_key: bool) -> Result<Self> {
        let length = length(headers);
        match length {
            Some(0) => return Ok(Self::Empty),
            None if !headers.contains_key(TRANSFER_ENCODING) => return Ok(Self::Empty),
            Some(length) if length > SMALL => return Ok(Self::stream(None, payload, Some(length))),
            None if !has_key => return Ok(Self::stream(None, payload, None)),
            _ => {}
        }
        let mut begin = BytesMut::new();
        while let Some(chunk) = payload.next().await {
            begin.extend_from_slice(&chunk.map_err(|error| problem(&error))?);
            if u64::try_from(begin.len()).is_ok_and(|length| length > SMALL) {
                return Ok(Self::stream(Some(begin.freeze()), payload, None));
            }
        }
        Ok(Self::Whole(begin.freeze()))
    }

    /// Whether it can be sent again.
    pub fn is_whole(&self) -> bool {
        !matches!(self, Self::Stream(_))
    }

    /// How far it is, if it is still arriving.
    pub fn progress(&self) -> Option<Progress> {
        match self {
            Self::Stream(Some(upload)) => Some(upload.progress.clone()),
            _ => None,
        }
    }

    /// Actix reads a body on its worker's thread; the client library wants one that may go to any.
    fn stream(begin: Option<Bytes>, payload: Payload, length: Option<u64>) -> Self {
        let (sender, receiver) = mpsc::channel::<std::io::Result<Frame<Bytes>>>(4);
        let progress = Progress::default();
        let told = progress.clone();
        let mut chunks = stream::iter(begin.map(Ok)).chain(payload);
        actix_web::rt::spawn(async move {
            // Whoever reads it may be gone: the module has answered, or the client has left.
            while let Some(chunk) = tokio::select! {
                chunk = chunks.next() => chunk,
                () = sender.closed() => return,
            } {
                let chunk = chunk.map(Frame::data).map_err(|error| {
                    let _ = told.0.fault.set(problem(&error));
                    std::io::Error::other(error.to_string())
                });
                let is_last = chunk.is_err();
                if sender.send(chunk).await.is_err() || is_last {
                    return;
                }
            }
            told.0.arrived.cancel();
        });
        let body = Either::Right(StreamBody::new(ReceiverStream::new(receiver)));
        Self::Stream(Some(Upload { body, length, progress }))
    }
}

/// `chunks`, cut when nothing comes for `idle`: it ends with `late` then.
pub fn paced<E>(
    chunks: impl Stream<Item = std::result::Result<Bytes, E>>,
    idle: Duration,
    late: impl Fn() -> E + Clone,
) -> impl Stream<Item = std::result::Result<Bytes, E>> {
    stream::unfold(Some(Box::pin(chunks)), move |chunks| {
        let late = late.clone();
        async move {
            let mut chunks = chunks?;
            match tokio::time::timeout(idle, chunks.next()).await {
                Ok(Some(Ok(chunk))) => Some((Ok(chunk), Some(chunks))),
                Ok(Some(Err(error))) => Some((Err(error), None)),
                Ok(None) => None,
                Err(_) => Some((Err(late()), None)),
            }
        }
    })
}

/// The chunks until `end`, if there is one; then an error, so that half is not taken for all.
pub fn until<E>(
    chunks: impl Stream<Item = std::result::Result<Bytes, E>>,
    end: Option<Instant>,
    late: impl Fn() -> E + Clone,
) -> impl Stream<Item = std::result::Result<Bytes, E>> {
    stream::unfold(Some(Box::pin(chunks)), move |chunks| {
        let late = late.clone();
        async move {
            let mut chunks = chunks?;
            let next = match end {
                // A chunk that is there already does not make it any earlier.
                Some(end) if end <= Instant::now() => return Some((Err(late()), None)),
                Some(end) => timeout_at(end, chunks.next()).await,
                None => Ok(chunks.next().await),
            };
            match next {
                Ok(chunk) => chunk.map(|chunk| (chunk, Some(chunks))),
                Err(_) => Some((Err(late()), None)),
            }
        }
    })
}

/// Whether a request has a body.
pub fn has_body(headers: &HeaderMap) -> bool {
    headers.contains_key(TRANSFER_ENCODING) || length(headers).is_some_and(|length| length > 0)
}

/// What `Content-Length` says, in bytes.
pub fn length(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.trim().parse().ok()
}

/// What a body that does not become whole is to its client.
fn problem(error: &PayloadError) -> Problem {
    match error {
        PayloadError::Overflow => codes::BODY_TOO_LARGE.into(),
        PayloadError::Io(error) if error.kind() == std::io::ErrorKind::TimedOut => BODY_TIMEOUT.into(),
        _ => Problem::new(codes::BAD_REQUEST, "the body ends before its end"),
    }
}
