use std::collections::BTreeSet;
use std::marker::PhantomData;
use std::sync::Arc;

use bhiv_broker::topology::Topology;
use bhiv_db::Error;
use bhiv_events::{Contract, Event, Producer};
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;

use crate::stories::RememberStories;
use crate::{Fault, Refusal, Tx};

/// What becomes of a message that a handler cannot handle.
#[derive(Debug)]
pub enum Failure {
    /// Not yet: what it refers to may still arrive. It is parked and tried again for about an hour, then it
    /// becomes a dead letter.
    Later(String),
    /// Never: it becomes a dead letter at once.
    Never(String),
    /// The handler panicked: why. Parked as with [`Failure::Later`].
    Panicked(String),
    /// The database failed. Tried again in place while it is away, parked otherwise.
    Database(Error),
}

impl From<diesel::result::Error> for Failure {
    fn from(error: diesel::result::Error) -> Self {
        Self::Database(error.into())
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Database(error)
    }
}

/// A command that refuses a reaction may accept it later.
impl<R: Refusal> From<Fault<R>> for Failure {
    fn from(fault: Fault<R>) -> Self {
        match fault {
            Fault::Refused(refusal) => Self::Later(refusal.to_string()),
            Fault::Database(error) => Self::Database(error),
            // Reactions carry no key; the inbox knows them by their message.
            Fault::KeyReused | Fault::InFlight => Self::Later("the idempotency key is taken".to_owned()),
        }
    }
}

/// What a handler does about messages of one subject that do not come in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Every message counts for itself.
    None,
    /// Only the newest counts: one that is older than what was handled before is skipped.
    Latest,
    /// Every message counts, in the order of its subject's sequence numbers, which begin at 1. What comes
    /// early is parked until what is missing was handled, or about an hour; then it becomes a dead letter of
    /// class `early`. What an operator puts back is handled wherever it stands.
    ///
    /// The handler has to hear every event that the subject's owner records about it.
    Strict,
}

/// Handles one kind of event inside the transaction that also remembers its id.
pub trait Handle<C: Contract>: Send + Sync + 'static {
    /// Reacts. It may be run again: keep to the transaction.
    fn handle(&self, tx: &mut Tx, event: &Event, data: C)
    -> impl Future<Output = Result<(), Failure>> + Send;
}

/// Handles events of any kind, as [`Handle`] does those of one kind.
pub trait HandleAny: Send + Sync + 'static {
    /// Reacts. It may be run again: keep to the transaction.
    fn handle_any(&self, tx: &mut Tx, event: &Event) -> impl Future<Output = Result<(), Failure>> + Send;

    /// As [`HandleAll::committed`].
    fn committed(&self) {}
}

/// Handles events of any kind, several at a time, as bulk inserts want it. What it records has no causing
/// event.
pub trait HandleAll: Send + Sync + 'static {
    /// Reacts to all of `events`, in their order. It may be run again: keep to the transaction.
    fn handle_all(&self, tx: &mut Tx, events: &[&Event]) -> impl Future<Output = Result<(), Failure>> + Send;

    /// Called after the commit. A crash can come in between, so nothing may depend on it: it is for telling
    /// others early what they would find out anyway.
    fn committed(&self) {}
}

/// The table of every event that a service hears. Its topology at the broker follows from it.
#[derive(Clone)]
pub struct Bindings {
    pub(crate) service: Producer,
    pub(crate) rows: Vec<Binding>,
}

#[derive(Clone)]
pub(crate) struct Binding {
    /// Names the handler in the inbox: renaming it makes it forget what it handled.
    pub(crate) consumer: &'static str,
    pub(crate) producer: Producer,
    /// A routing key, or `#`.
    pub(crate) key: &'static str,
    pub(crate) order: Order,
    /// Which of the service's queues for this producer; the common one, unless it has a name.
    pub(crate) lane: Option<&'static str>,
    /// Whether it waits until all others are done with what came together.
    pub(crate) is_last: bool,
    pub(crate) handler: Arc<dyn Handler>,
}

/// The kinds of handler behind one pointer.
pub(crate) trait Handler: Send + Sync {
    /// Whether it wants several events at a time.
    fn takes_many(&self) -> bool {
        false
    }

    /// Hands over one event, or several if it takes many.
    fn run<'a>(&'a self, tx: &'a mut Tx, events: &'a [&'a Event]) -> BoxFuture<'a, Result<(), Failure>>;

    /// After the commit.
    fn committed(&self) {}
}

impl std::fmt::Debug for Bindings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list()
            .entries(self.rows.iter().map(|row| (row.consumer, row.producer.exchange(), row.key)))
            .finish()
    }
}

impl Bindings {
    /// `service` hears nothing yet.
    pub fn new(service: Producer) -> Self {
        Self { service, rows: Vec::new() }
    }

    /// `handler` hears the events of `C`. `consumer` names it in the inbox and must stay the same.
    #[must_use]
    pub fn on<C: Contract>(self, consumer: &'static str, order: Order, handler: impl Handle<C>) -> Self {
        let handler = Arc::new(One { handler, contract: PhantomData::<fn(C)> });
        self.row(consumer, C::KIND.producer, C::KIND.routing_key, order, handler)
    }

    /// `handler` hears the events with these routing keys, one at a time.
    #[must_use]
    pub fn on_any(
        self,
        consumer: &'static str,
        keys: impl IntoIterator<Item = (Producer, &'static str)>,
        order: Order,
        handler: impl HandleAny,
    ) -> Self {
        self.rows_of(consumer, keys, order, Arc::new(Any(handler)))
    }

    /// `handler` hears the events with these routing keys, as many at a time as there are; `#` is every key.
    #[must_use]
    pub fn on_all(
        self,
        consumer: &'static str,
        keys: impl IntoIterator<Item = (Producer, &'static str)>,
        handler: impl HandleAll,
    ) -> Self {
        self.rows_of(consumer, keys, Order::None, Arc::new(All(handler)))
    }

    /// Remembers the stories of these events' subjects, for [`Tx::continue_story_of`].
    #[must_use]
    pub fn remembering(
        self,
        consumer: &'static str,
        keys: impl IntoIterator<Item = (Producer, &'static str)>,
    ) -> Self {
        self.on_all(consumer, keys, RememberStories)
    }

    fn rows_of(
        self,
        consumer: &'static str,
        keys: impl IntoIterator<Item = (Producer, &'static str)>,
        order: Order,
        handler: Arc<dyn Handler>,
    ) -> Self {
        keys.into_iter().fold(self, |bindings, (producer, key)| {
            bindings.row(consumer, producer, key, order, Arc::clone(&handler))
        })
    }

    fn row(
        mut self,
        consumer: &'static str,
        producer: Producer,
        key: &'static str,
        order: Order,
        handler: Arc<dyn Handler>,
    ) -> Self {
        self.rows.push(Binding { consumer, producer, key, order, lane: None, is_last: false, handler });
        self
    }

    /// Gives the handler that was added last queues of its own, `<service>.q.<producer>.<lane>`, so that it
    /// does not wait behind what else the service hears of the same producers.
    #[must_use]
    pub fn in_lane(self, lane: &'static str) -> Self {
        self.change_last(|row| row.lane = Some(lane))
    }

    /// Has the handler that was added last wait until the others are done with all messages that came together: then one
    /// that takes many gets all of its own at once, and a lock of its is not kept while the rest is done. It must not matter
    /// to it whether another handler has handled a later message already.
    #[must_use]
    pub fn at_the_end(self) -> Self {
        self.change_last(|row| row.is_last = true)
    }

    fn change_last(mut self, change: impl Fn(&mut Binding)) -> Self {
        if let Some(consumer) = self.rows.last().map(|row| row.consumer) {
            self.rows.iter_mut().filter(|row| row.consumer == consumer).for_each(change);
        }
        self
    }

    /// What has to be declared at the broker for it.
    pub fn topology(&self) -> Topology {
        let keys = |lane| {
            let rows = self.rows.iter().filter(move |row| row.lane == lane);
            rows.map(|row| (row.producer, row.key))
        };
        let lanes: BTreeSet<_> = self.rows.iter().filter_map(|row| row.lane).collect();
        let common = Topology::new(self.service, keys(None));
        lanes.into_iter().fold(common, |topology, lane| topology.with_lane(lane, keys(Some(lane))))
    }

    /// The handlers of `event` that read `queue`, in the order of the table. Every one of them if `queue` is
    /// none, as when a test delivers.
    pub(crate) fn of(&self, event: &Event, queue: &str) -> Vec<&Binding> {
        let mut seen = BTreeSet::new();
        let mut words = queue.split('.').skip(1);
        let is_queue = words.next() == Some("q");
        let lane = words.nth(1);
        self.rows
            .iter()
            .filter(|row| !is_queue || row.lane == lane)
            .filter(|row| {
                row.producer.source() == event.source && (row.key == "#" || row.key == event.routing_key())
            })
            .filter(|row| seen.insert(row.consumer))
            .collect()
    }
}

struct One<C, H> {
    handler: H,
    contract: PhantomData<fn(C)>,
}

impl<C: Contract, H: Handle<C>> Handler for One<C, H> {
    fn run<'a>(&'a self, tx: &'a mut Tx, events: &'a [&'a Event]) -> BoxFuture<'a, Result<(), Failure>> {
        async move {
            for event in events {
                let data = event
                    .read::<C>()
                    .map_err(|error| Failure::Never(format!("the data is no {}: {error}", C::KIND.name)))?;
                self.handler.handle(tx, event, data).await?;
            }
            Ok(())
        }
        .boxed()
    }
}

struct Any<H>(H);

impl<H: HandleAny> Handler for Any<H> {
    fn run<'a>(&'a self, tx: &'a mut Tx, events: &'a [&'a Event]) -> BoxFuture<'a, Result<(), Failure>> {
        async move {
            for event in events {
                self.0.handle_any(tx, event).await?;
            }
            Ok(())
        }
        .boxed()
    }

    fn committed(&self) {
        self.0.committed();
    }
}

struct All<H>(H);

impl<H: HandleAll> Handler for All<H> {
    fn takes_many(&self) -> bool {
        true
    }

    fn run<'a>(&'a self, tx: &'a mut Tx, events: &'a [&'a Event]) -> BoxFuture<'a, Result<(), Failure>> {
        self.0.handle_all(tx, events).boxed()
    }

    fn committed(&self) {
        self.0.committed();
    }
}

#[cfg(test)]
mod tests {
    use bhiv_events::compliance::{ComplianceChecked, ConsentGranted};
    use uuid::Uuid;

    use super::*;

    struct Nothing;

    impl HandleAny for Nothing {
        async fn handle_any(&self, _: &mut Tx, _: &Event) -> Result<(), Failure> {
            Ok(())
        }
    }

    #[test]
    fn a_lane_has_queues_and_messages_of_its_own() {
        let key = |kind: bhiv_events::Kind| (kind.producer, kind.routing_key);
        let bindings = Bindings::new(Producer::Core)
            .on_any("all", [key(ConsentGranted::KIND), key(ComplianceChecked::KIND)], Order::None, Nothing)
            .on_any("fast", [key(ConsentGranted::KIND)], Order::Latest, Nothing)
            .in_lane("consent");
        let topology = bindings.topology();
        let queues: Vec<_> =
            topology.queues.iter().map(|queue| (queue.name.as_str(), queue.routing_keys.len())).collect();
        assert_eq!(queues, [("core.q.compliance", 2), ("core.q.compliance.consent", 1)]);

        let event = Event::around(Uuid::nil(), &ConsentGranted::sample());
        let readers = |queue| bindings.of(&event, queue).iter().map(|row| row.consumer).collect::<Vec<_>>();
        assert_eq!(readers("core.q.compliance"), ["all"]);
        assert_eq!(readers("core.q.compliance.consent"), ["fast"]);
        assert_eq!(readers("test"), ["all", "fast"]);
    }
}
