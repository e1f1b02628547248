//! Commands that come together share a commit.
//!
//! A commit waits for the disk, and each round trip to the server costs more than most statements. So while
//! as many groups as [`GROUPS`] are under way, what comes gathers, and the next group takes it up: one
//! transaction, the commands one after the other, all of their events in one insert, one commit. Nobody waits
//! for others when there is nothing to wait for. If one of a group fails, the transaction is rolled back and
//! each of them is run alone. If the answer to the commit is lost, none is run again: it may have been done.

use std::collections::VecDeque;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bhiv_broker::crash;
use bhiv_db::Error;
use bhiv_telemetry::trace::Scope;
use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, join_all};
use tokio::runtime::Handle;
use tokio::sync::oneshot;

use super::{Command, Fault, once, run_alone};
use crate::idempotency::Patience;
use crate::tx::ServiceContext;
use crate::{Origin, Tx};

/// Groups under way at once, as long as none of them dawdles.
const GROUPS: usize = 4;

/// Commands of one group, at most.
const MOST: usize = 16;

/// A group that takes longer, as when it waits for a lock, holds up nobody: others begin beside it.
const DAWDLES: Duration = Duration::from_millis(20);

/// Groups under way at once, the dawdling ones too.
const GROUPS_AT_MOST: usize = 12;

/// What waits for a group. Cloning it shares it.
#[derive(Clone)]
pub(super) struct Sharing {
    service: ServiceContext,
    main: Handle,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Box<dyn Job>>,
    groups: usize,
}

impl std::fmt::Debug for Sharing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Sharing of {:?}", self.service)
    }
}

type Answer<C> = Result<<C as Command>::Output, Fault<<C as Command>::Refusal>>;

/// A command that waits, of whatever kind.
trait Job: Send {
    fn origin(&self) -> &Origin;

    /// Runs it as one of a group; `false` if the group cannot go on.
    fn run<'j>(&'j mut self, tx: &'j mut Tx) -> BoxFuture<'j, bool>;

    /// The group has committed.
    fn committed(self: Box<Self>);

    /// The group may have committed or not, because of `reason`.
    fn in_doubt(self: Box<Self>, reason: &str);

    /// Runs it in a transaction of its own.
    fn alone(self: Box<Self>, service: ServiceContext) -> BoxFuture<'static, ()>;
}

struct Waiting<C: Command> {
    origin: Origin,
    command: C,
    scope: Scope,
    output: Option<C::Output>,
    answer: oneshot::Sender<Answer<C>>,
}

impl<C: Command> Job for Waiting<C> {
    fn origin(&self) -> &Origin {
        &self.origin
    }

    fn run<'j>(&'j mut self, tx: &'j mut Tx) -> BoxFuture<'j, bool> {
        let run = async {
            let idempotency = self.origin.idempotency.as_ref();
            let result = once(tx, idempotency, Patience::None, &self.command).await;
            self.output = result.ok();
            self.output.is_some()
        };
        self.scope.clone().around(run).boxed()
    }

    fn committed(self: Box<Self>) {
        if let Some(output) = self.output {
            // Whoever asked may have gone away; it is done all the same.
            let _ = self.answer.send(Ok(output));
        }
    }

    fn in_doubt(self: Box<Self>, reason: &str) {
        let _ = self.answer.send(Err(Fault::Database(Error::Unavailable(reason.to_owned()))));
    }

    fn alone(self: Box<Self>, service: ServiceContext) -> BoxFuture<'static, ()> {
        let Self { origin, command, scope, answer, .. } = *self;
        let alone = async move {
            let result = run_alone(&service, &origin, &command).await;
            let _ = answer.send(result);
        };
        scope.around(alone).boxed()
    }
}

impl Sharing {
    /// Groups run on `main`.
    pub(super) fn new(service: ServiceContext, main: Handle) -> Self {
        Self { service, main, state: Arc::default() }
    }

    /// Runs the command to its end, even if nobody waits for the answer any more. `None` if it panicked.
    pub(super) async fn run<C: Command>(&self, origin: Origin, command: C) -> Option<Answer<C>> {
        let (answer, answered) = oneshot::channel();
        let is_alone = command.is_alone();
        let job = Waiting { origin, command, scope: Scope::current(), output: None, answer };
        if is_alone {
            self.main.spawn(Box::new(job).alone(self.service.clone()));
        } else if self.with(|state| state.push(Box::new(job))) {
            self.start();
        }
        answered.await.ok()
    }

    fn with<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        act(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Begins to take up groups; it is counted already.
    fn start(&self) {
        let this = self.clone();
        self.main.spawn(async move {
            while let Some(group) = this.with(State::next) {
                let mut running = std::pin::pin!(run(&this.service, group));
                tokio::select! {
                    () = &mut running => continue,
                    () = tokio::time::sleep(DAWDLES) => {}
                }
                if this.with(State::begin_beside) {
                    this.start();
                }
                running.await;
            }
        });
    }
}

impl State {
    /// Answers whether another group may begin.
    fn push(&mut self, job: Box<dyn Job>) -> bool {
        self.waiting.push_back(job);
        let begins = self.groups < GROUPS;
        self.groups += usize::from(begins);
        begins
    }

    fn begin_beside(&mut self) -> bool {
        let begins = !self.waiting.is_empty() && self.groups < GROUPS_AT_MOST;
        self.groups += usize::from(begins);
        begins
    }

    /// The next group; without one, this place is free.
    fn next(&mut self) -> Option<Vec<Box<dyn Job>>> {
        // Those that began beside a dawdling one end when there is nothing left for them.
        if self.waiting.is_empty() {
            self.groups -= 1;
            return None;
        }
        let count = self.waiting.len().min(MOST);
        Some(self.waiting.drain(..count).collect())
    }
}

/// How a group ended.
enum End {
    Committed,
    /// Nothing was changed.
    RolledBack,
    /// Nobody knows which of the two, because of that.
    InDoubt(String),
}

/// All in one transaction, or each alone.
async fn run(service: &ServiceContext, mut group: Vec<Box<dyn Job>>) {
    let end = if group.len() > 1 {
        AssertUnwindSafe(together(service, &mut group)).catch_unwind().await.unwrap_or(End::RolledBack)
    } else {
        End::RolledBack
    };
    match end {
        End::Committed => group.into_iter().for_each(<dyn Job>::committed),
        End::InDoubt(reason) => group.into_iter().for_each(|job| job.in_doubt(&reason)),
        End::RolledBack => {
            let alone =
                group.into_iter().map(|job| AssertUnwindSafe(job.alone(service.clone())).catch_unwind());
            // A panic is answered by the sender that it drops.
            join_all(alone).await;
        }
    }
}

async fn together(service: &ServiceContext, group: &mut [Box<dyn Job>]) -> End {
    let Ok(mut tx) = Tx::begin(service, Origin::default()).await else { return End::RolledBack };
    for job in group.iter_mut() {
        tx.act_for(job.origin().clone());
        if !job.run(&mut tx).await {
            tx.roll_back().await;
            return End::RolledBack;
        }
    }
    let Ok(recorded) = tx.flush().await else {
        tx.roll_back().await;
        return End::RolledBack;
    };
    crash::point("command.done");
    let end = match tx.commit(recorded).await {
        Ok(()) => End::Committed,
        // The server said that it refused.
        Err(Error::Conflict(_) | Error::Constraint { .. }) => End::RolledBack,
        Err(error) => End::InDoubt(error.to_string()),
    };
    crash::point("command.committed");
    end
}
