//! Tells those outside whom workflows want to be told.

use std::time::Duration;

use bhiv_broker::Backoff;
use bhiv_outbox::{Command, Origin};
use bhiv_service::Context;
use bhiv_settings::Secret;
use bhiv_webhook::{Parcel, Sender, judge};
use chrono::TimeDelta;
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use tokio_util::sync::CancellationToken;

use crate::commands::tell_receiver::{NoteTold, TakeReceiver, ToTell};

/// Beyond the time that a receiver has to answer in, it belongs to who took it up for so long.
const LEASE: TimeDelta = TimeDelta::seconds(45);

/// What telling takes.
pub struct Teller {
    pub context: Context,
    pub sender: Sender,
    pub secret: Option<Secret>,
    /// At once, at most.
    pub most: usize,
    pub timeout: TimeDelta,
}

/// Tells receivers as they become due, until `stop`. Each is told by one of the replicas at a time.
pub async fn tell(teller: Teller, every: Duration, stop: CancellationToken) {
    let mut backoff = Backoff::reconnect();
    let mut under_way = FuturesUnordered::new();
    while !stop.is_cancelled() {
        let mut pause = every;
        while under_way.len() < teller.most {
            match teller.take().await {
                Ok(Some(due)) => under_way.push(teller.send(due)),
                Ok(None) => {
                    backoff.reset();
                    break;
                }
                Err(error) => {
                    tracing::warn!(error, "receivers have to wait");
                    pause = backoff.next_delay();
                    break;
                }
            }
        }
        tokio::select! {
            Some(()) = under_way.next() => {}
            () = tokio::time::sleep(pause) => {}
            () = stop.cancelled() => {}
        }
    }
    // What is under way is told to its end: it would be told once more otherwise. Its time is limited.
    while under_way.next().await.is_some() {}
}

impl Teller {
    async fn take(&self) -> Result<Option<ToTell>, String> {
        self.run(TakeReceiver { lease: self.timeout + LEASE }).await
    }

    async fn send(&self, due: ToTell) {
        let ToTell { run, attempt, url, id, body } = due;
        let secrets: Vec<_> = self.secret.iter().map(Secret::expose).collect();
        let content_type = "application/json";
        let parcel = Parcel { url: url.as_str(), id, content_type, body, secrets: &secrets };
        let answer = self.sender.send(parcel, self.context.clock().now()).await;
        let verdict = judge(attempt, answer.status, answer.retry_after, self.context.clock().chance());
        let told = NoteTold { run, attempt, host: url.host().to_owned(), verdict, error: answer.error };
        if let Err(error) = self.run(told).await {
            tracing::warn!(error, "what a receiver was told is not noted; it is told again");
        }
    }

    async fn run<C: Command>(&self, command: C) -> Result<C::Output, String>
    where
        C::Refusal: std::fmt::Debug,
    {
        let origin = Origin { actor: "service/task".to_owned(), ..Origin::default() };
        self.context.run(origin, command).await.map_err(|fault| format!("{fault:?}"))
    }
}
