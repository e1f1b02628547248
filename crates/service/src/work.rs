//! What goes on beside requests.

use std::collections::HashMap;
use std::time::Duration;

use bhiv_broker::Connector;
use bhiv_outbox::{Consumers, Processor, Relay, housekeeping, measure_backlog};
use bhiv_settings::Secret;
use tokio::task::{Id, JoinError, JoinSet};
use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::{Context, Error};

/// After the requests, everything gets this long to end.
const DRAIN: Duration = Duration::from_secs(15);

/// Consumers, jobs and the relay.
pub struct Work {
    incoming: Parts,
    outgoing: Parts,
    stop_incoming: CancellationToken,
    stop_outgoing: CancellationToken,
}

/// Tasks that know what they are.
#[derive(Default)]
struct Parts {
    tasks: JoinSet<()>,
    names: HashMap<Id, &'static str>,
}

impl Work {
    /// Begins all of it.
    pub fn start(
        mut app: App,
        context: &Context,
        database_url: Secret,
        consuming: Connector,
        publishing: Connector,
    ) -> Self {
        let mut work = Self {
            incoming: Parts::default(),
            outgoing: Parts::default(),
            stop_incoming: CancellationToken::new(),
            stop_outgoing: CancellationToken::new(),
        };
        let (pool, clock, wake) = (context.pool(), context.clock(), context.wake());
        let relay = Relay::new(context.producer(), database_url, publishing, wake.clone());
        work.outgoing.spawn("relay", relay.run(work.stop_outgoing.clone()));

        let processor = Processor::new(pool.clone(), app.bindings(), clock.clone(), wake.clone());
        let dead_letters = app.bindings().topology().dead_letters;
        let backlog =
            measure_backlog(pool.clone(), consuming.clone(), dead_letters, work.stop_incoming.clone());
        work.incoming.spawn("measuring", backlog);
        let consumers = Consumers::new(processor, consuming);
        work.incoming.spawn("consumers", consumers.run(work.stop_incoming.clone()));
        let cleaning = housekeeping(pool.clone(), clock.clone(), work.stop_incoming.clone());
        work.incoming.spawn("housekeeping", cleaning);
        for (name, job) in app.start_jobs(&work.stop_incoming) {
            work.incoming.spawn(name, job);
        }
        work
    }

    /// Begins something more, which ends with what comes in.
    pub fn also<F>(&mut self, name: &'static str, part: impl FnOnce(CancellationToken) -> F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.incoming.spawn(name, part(self.stop_incoming.clone()));
    }

    /// Ends when a task panicked. Handlers do not count: theirs are caught where they are called.
    pub async fn panicked(&mut self) {
        loop {
            let ended = tokio::select! {
                Some(ended) = self.incoming.next() => ended,
                Some(ended) = self.outgoing.next() => ended,
                else => std::future::pending().await,
            };
            if ended.is_err_and(|error| error.is_panic()) {
                return;
            }
        }
    }

    /// What comes in ends first; the relay publishes what it left behind.
    ///
    /// # Errors
    /// What has not ended in time, and is cut off.
    pub async fn drain(mut self) -> Result<(), Error> {
        let draining = async {
            self.stop_incoming.cancel();
            while self.incoming.next().await.is_some() {}
            self.stop_outgoing.cancel();
            while self.outgoing.next().await.is_some() {}
        };
        let drained = tokio::time::timeout(DRAIN, draining).await;
        drained.map_err(|_| {
            let names = self.incoming.names.values().chain(self.outgoing.names.values());
            Error::Drain(names.copied().collect::<Vec<_>>().join(", "))
        })
    }
}

impl Parts {
    fn spawn(&mut self, name: &'static str, part: impl Future<Output = ()> + Send + 'static) {
        let id = self.tasks.spawn(part).id();
        self.names.insert(id, name);
    }

    /// How the next one ended; `None` after the last.
    async fn next(&mut self) -> Option<Result<(), JoinError>> {
        let ended = self.tasks.join_next_with_id().await?;
        let id = ended.as_ref().map_or_else(JoinError::id, |(id, ())| *id);
        self.names.remove(&id);
        Some(ended.map(drop))
    }
}
