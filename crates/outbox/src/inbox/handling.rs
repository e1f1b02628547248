//! Inside the transaction: which messages are new, and handing them over.

use std::any::Any;
use std::collections::BTreeSet;
use std::panic::AssertUnwindSafe;
use std::time::{Duration, Instant};

use bhiv_broker::crash;
use bhiv_events::Event;
use bhiv_telemetry::trace::{self, Scope};
use futures_util::FutureExt as _;
use tracing::info_span;

use super::failing::EARLY;
use super::{Incoming, Outcome, Processor, Work, rows};
use crate::bindings::Binding;
use crate::{Failure, Order, Tx};

/// A handler that takes longer has failed.
pub(super) const HANDLER_TIMEOUT: Duration = Duration::from_secs(30);

/// A handler that takes longer keeps others waiting, and is tried again alone.
const SHARED_TIMEOUT: Duration = Duration::from_secs(10);

impl Processor {
    /// Handles all of `works` in one transaction, or none.
    pub(super) async fn together(&self, works: &[Work<'_>]) -> Result<Vec<Outcome>, Failure> {
        let started = Instant::now();
        let mut tx = self.begin().await?;
        let handled = self.handle(&mut tx, works).await;
        crash::point("inbox.handled");
        let outcomes = tx.end(handled).await?;
        let mut told = BTreeSet::new();
        for (work, outcome) in works.iter().zip(&outcomes) {
            self.metrics.outcome(work.binding.consumer, outcome);
            if *outcome == Outcome::Done {
                self.done(work);
            }
            if *outcome == Outcome::Done && told.insert(work.binding.consumer) {
                work.binding.handler.committed();
            }
        }
        self.metrics.batch(started.elapsed());
        Ok(outcomes)
    }

    /// How long it took, unless an operator put it back: then it took as long as they did.
    pub(super) fn done(&self, work: &Work<'_>) {
        let Incoming { event, raw } = work.incoming;
        if !raw.was_put_back() {
            self.metrics.done(work.binding.consumer, event, self.service.clock.now());
        }
    }

    async fn handle(&self, tx: &mut Tx, works: &[Work<'_>]) -> Result<Vec<Outcome>, Failure> {
        let pairs: Vec<_> = works.iter().map(Work::pair).collect();
        let limit = if works.len() > 1 { SHARED_TIMEOUT } else { HANDLER_TIMEOUT };
        let mut fresh = rows::claim(tx.conn(), &pairs).await?;
        let mut outcomes = Vec::with_capacity(works.len());
        for group in works.chunk_by(|one, next| {
            one.binding.handler.takes_many() && one.binding.consumer == next.binding.consumer
        }) {
            let Some(binding) = group.first().map(|work| work.binding) else { continue };
            let mut wanted = Vec::with_capacity(group.len());
            for work in group {
                let (id, consumer) = work.pair();
                // Taken out: the same message may stand in a batch twice.
                let outcome = if fresh.remove(&(id, consumer.to_owned())) {
                    turn(tx, *work).await?
                } else {
                    Outcome::Repeated
                };
                match &outcome {
                    Outcome::Done => wanted.push(*work),
                    Outcome::Early(missing) => {
                        rows::park(tx.conn(), &work.parked(EARLY, missing)).await?;
                    }
                    _ => {}
                }
                outcomes.push(outcome);
            }
            if !wanted.is_empty() {
                self.hand_over(tx, binding, &wanted, limit).await?;
            }
        }
        Ok(outcomes)
    }

    /// Handles one message, or several if the handler takes many.
    pub(super) async fn hand_over(
        &self,
        tx: &mut Tx,
        binding: &Binding,
        works: &[Work<'_>],
        limit: Duration,
    ) -> Result<(), Failure> {
        let events: Vec<_> = works.iter().map(|work| &work.incoming.event).collect();
        let only = match events.as_slice() {
            [event] => Some(*event),
            _ => None,
        };
        tx.act_for(self.origin(only));
        let handling = async {
            // Nothing of what it touched outlives the transaction, which is rolled back.
            let handling = AssertUnwindSafe(binding.handler.run(tx, &events)).catch_unwind();
            match tokio::time::timeout(limit, handling).await {
                Ok(Ok(handled)) => handled,
                Ok(Err(panic)) => Err(Failure::Panicked(said(&*panic))),
                Err(_) => Err(Failure::Later(format!("the handler took longer than {limit:?}"))),
            }
        };
        if let Some(event) = only {
            let told = async {
                handling.await?;
                tell(binding, event);
                Ok::<_, Failure>(())
            };
            scope(binding, event).around(told).await?;
        } else {
            handling.await?;
            for event in events {
                scope(binding, event).run(|| tell(binding, event));
            }
        }
        if binding.order == Order::Strict {
            for work in works {
                rows::hurry_next(tx.conn(), work.change()).await?;
            }
        }
        Ok(())
    }
}

fn scope(binding: &Binding, event: &Event) -> Scope {
    Scope::new(event.traceparent.as_deref(), || {
        info_span!(
            "handle",
            otel.name = format!("handle {}", event.routing_key()),
            otel.kind = "consumer",
            messaging.system = "rabbitmq",
            messaging.message.id = %event.id,
            consumer = binding.consumer,
        )
    })
}

/// One line for each event of a trace that is kept.
fn tell(binding: &Binding, event: &Event) {
    if trace::is_kept() {
        tracing::info!(
            consumer = binding.consumer,
            event.id = %event.id,
            event.name = event.name(),
            event.subject,
            correlation.id = %event.correlationid,
            "handled"
        );
    }
}

/// Whether it is the message's turn: [`Outcome::Done`] if it may be handled now.
pub(super) async fn turn(tx: &mut Tx, work: Work<'_>) -> Result<Outcome, Failure> {
    let change = work.change();
    match work.binding.order {
        Order::None => Ok(Outcome::Done),
        Order::Latest => {
            let is_newest = rows::is_newest(tx.conn(), change).await?;
            Ok(if is_newest { Outcome::Done } else { Outcome::Stale })
        }
        Order::Strict => {
            if rows::is_next(tx.conn(), change, work.incoming.raw.was_put_back()).await? {
                return Ok(Outcome::Done);
            }
            let last = rows::last_sequence(tx.conn(), change).await?;
            if change.sequence < last {
                let error = format!("change {} comes after change {last} was handled", change.sequence);
                return Err(Failure::Never(error));
            }
            Ok(Outcome::Early(format!("change {} comes after change {last}", change.sequence)))
        }
    }
}

/// What a panic said.
fn said(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
    format!("the handler panicked: {}", text.unwrap_or("without a word"))
}
