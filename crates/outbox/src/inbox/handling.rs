//! Inside the transaction: which messages are new, and handing them over.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use bhiv_events::Event;
use bhiv_telemetry::trace;
use tracing::{Instrument as _, Span, info_span};

use super::{Outcome, Processor, Work, rows};
use crate::bindings::Binding;
use crate::{Failure, Order, Tx};

/// A handler that takes longer has failed.
const HANDLER_TIMEOUT: Duration = Duration::from_secs(30);

impl Processor {
    /// Handles all of `works` in one transaction, or none.
    pub(super) async fn together(&self, works: &[Work<'_>]) -> Result<Vec<Outcome>, Failure> {
        let started = Instant::now();
        let mut tx = self.begin().await?;
        let handled = self.handle(&mut tx, works).await;
        let outcomes = tx.end(handled).await?;
        let mut told = BTreeSet::new();
        for (work, outcome) in works.iter().zip(&outcomes) {
            self.metrics.outcome(work.binding.consumer, outcome);
            if *outcome == Outcome::Done && told.insert(work.binding.consumer) {
                work.binding.handler.committed();
            }
        }
        self.metrics.batch(started.elapsed());
        Ok(outcomes)
    }

    async fn handle(&self, tx: &mut Tx, works: &[Work<'_>]) -> Result<Vec<Outcome>, Failure> {
        let pairs: Vec<_> = works.iter().map(Work::pair).collect();
        let mut fresh = rows::claim(tx.conn(), &pairs).await?;
        let mut outcomes = Vec::with_capacity(works.len());
        for group in works.chunk_by(|one, next| {
            one.binding.handler.takes_many() && one.binding.consumer == next.binding.consumer
        }) {
            let Some(binding) = group.first().map(|work| work.binding) else { continue };
            let mut events = Vec::with_capacity(group.len());
            for work in group {
                let (id, consumer) = work.pair();
                // Taken out: the same message may stand in a batch twice.
                let outcome = if !fresh.remove(&(id, consumer.to_owned())) {
                    Outcome::Repeated
                } else if is_stale(tx, work).await? {
                    Outcome::Stale
                } else {
                    events.push(&work.incoming.event);
                    Outcome::Done
                };
                outcomes.push(outcome);
            }
            if !events.is_empty() {
                self.hand_over(tx, binding, &events).await?;
            }
        }
        Ok(outcomes)
    }

    pub(super) async fn hand_over(
        &self,
        tx: &mut Tx,
        binding: &Binding,
        events: &[&Event],
    ) -> Result<(), Failure> {
        let only = match events {
            [event] => Some(*event),
            _ => None,
        };
        tx.act_for(self.origin(only));
        let handling = async {
            let handling = binding.handler.run(tx, events);
            tokio::time::timeout(HANDLER_TIMEOUT, handling).await.unwrap_or_else(|_| {
                Err(Failure::Later(format!("the handler took longer than {HANDLER_TIMEOUT:?}")))
            })
        };
        match only {
            Some(event) => handling.instrument(span(binding, event)).await?,
            None => handling.await?,
        }
        for event in events {
            span(binding, event).in_scope(|| tell(binding, event));
        }
        Ok(())
    }
}

fn span(binding: &Binding, event: &Event) -> Span {
    let span = info_span!("handle", otel.name = event.name(), consumer = binding.consumer);
    trace::continue_from(&span, event.traceparent.as_deref());
    span
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

async fn is_stale(tx: &mut Tx, work: &Work<'_>) -> Result<bool, Failure> {
    let event = &work.incoming.event;
    match work.binding.order {
        Order::None => Ok(false),
        Order::Latest => {
            let consumer = work.binding.consumer;
            let is_newest =
                rows::is_newest(tx.conn(), consumer, &event.source, &event.subject, event.sequence);
            Ok(!is_newest.await?)
        }
    }
}
