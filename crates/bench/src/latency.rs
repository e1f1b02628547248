//! From a producer's transaction to a consumer's commit.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bhiv_broker::Connector;
use bhiv_clock::Clock;
use bhiv_events::crm::LeadCreated;
use bhiv_events::{Contract as _, Event, Producer};
use bhiv_outbox::{Bindings, Command, Consumers, Failure, Fault, HandleAll, Origin, Processor, Relay, Tx};
use tokio::time::{Instant, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::page::Page;
use crate::stack::Stack;
use crate::{Result, say};

const PER_SECOND: u64 = 200;
const SECONDS: u64 = 20;

/// When each lead's effect was committed.
#[derive(Clone, Default)]
struct Arrivals(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    handled: Vec<Uuid>,
    committed: HashMap<Uuid, Instant>,
}

impl Arrivals {
    fn with<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl HandleAll for Arrivals {
    async fn handle_all(&self, _: &mut Tx, events: &[&Event]) -> std::result::Result<(), Failure> {
        let leads = events.iter().filter_map(|event| event.read::<LeadCreated>().ok());
        self.with(|state| state.handled = leads.map(|lead| lead.lead_id).collect());
        Ok(())
    }

    fn committed(&self) {
        let now = Instant::now();
        self.with(|state| {
            let handled = std::mem::take(&mut state.handled);
            state.committed.extend(handled.into_iter().map(|id| (id, now)));
        });
    }
}

struct CreateLead(Uuid);

impl Command for CreateLead {
    type Output = ();
    type Refusal = Infallible;

    async fn run(&self, tx: &mut Tx) -> std::result::Result<(), Fault<Infallible>> {
        tx.record(1, &LeadCreated { lead_id: self.0, ..LeadCreated::sample() });
        Ok(())
    }
}

pub async fn measure(stack: &Stack, page: &mut Page) -> Result {
    let connector = stack.queue().await?;
    let (producer, consumer) = (stack.schema("producer").await?, stack.schema("consumer").await?);
    let (stop, arrivals) = (CancellationToken::new(), Arrivals::default());
    let publishing = Connector::new(&stack.amqp_url, "bench relay");
    let relay = tokio::spawn(
        Relay::new(Producer::Crm, producer.url.clone(), publishing, producer.wake.clone()).run(stop.clone()),
    );
    let keys = [(Producer::Crm, LeadCreated::KIND.routing_key)];
    let bindings = Bindings::new(Producer::Task).on_all("bench", keys, arrivals.clone());
    let clock = Clock::system();
    let processor = Processor::new(consumer.pool.clone(), bindings, clock.clone(), consumer.wake.clone());
    let consumers = Consumers::new(processor, connector);
    let consumers = tokio::spawn(consumers.run(stop.clone()));

    let transactor = producer.transactor();
    let mut ticks = interval(Duration::from_micros(1_000_000 / PER_SECOND));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let mut sent = HashMap::new();
    for number in 0..PER_SECOND * (SECONDS + 2) {
        ticks.tick().await;
        let id = clock.id();
        // The first two seconds are the warm-up.
        if number >= PER_SECOND * 2 {
            sent.insert(id, Instant::now());
        }
        let transactor = transactor.clone();
        tokio::spawn(async move { transactor.run(Origin::default(), CreateLead(id)).await.is_ok() });
    }
    let until = Instant::now() + Duration::from_secs(30);
    while !arrivals.with(|state| sent.keys().all(|id| state.committed.contains_key(id))) {
        if Instant::now() > until {
            return Err("events are missing half a minute later".into());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    stop.cancel();
    relay.await?;
    consumers.await?;
    let mut took: Vec<f64> = arrivals.with(|state| {
        let times = sent.iter().filter_map(|(id, sent)| Some(*state.committed.get(id)? - *sent));
        times.map(|time| time.as_secs_f64() * 1000.0).collect()
    });
    took.sort_by(f64::total_cmp);
    let at = |percent: usize| took.get(took.len() * percent / 100).copied().unwrap_or(f64::NAN);
    say(&format!("latency: p50 {:.1}, p90 {:.1}, p99 {:.1} ms", at(50), at(90), at(99)));
    page.single("latency at 200/s, p50", format!("{:.1} ms", at(50)), "", "6 ms", at(50) <= 6.0);
    page.single("latency at 200/s, p99", format!("{:.1} ms", at(99)), "", "25 ms", at(99) <= 25.0);
    Ok(())
}
