//! Who waits to be counted, on each worker. Those that come while Redis answers are counted together, next, and so are those
//! whose answer is still being made, until the first of them needs its verdict: under load, one script counts many.

use std::cell::RefCell;
use std::collections::HashMap;
use std::marker::PhantomData;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, oneshot};
use tokio::time::timeout;

use crate::domain::quota::{Quota, Verdict};

/// Requests that one script counts, at most: Redis does nothing else meanwhile.
const MOST: usize = 256;

/// A request is counted so long after it came, or after the script before it, at the latest, whatever its module takes to
/// answer: others have to know.
const PATIENCE: Duration = Duration::from_millis(5);

thread_local! {
    /// What waits on this worker, for each [`Redis`] of the process.
    static QUEUES: RefCell<HashMap<u64, Queue>> = RefCell::default();
}

#[derive(Default)]
struct Queue {
    waiting: Vec<Waiting>,
    is_counting: bool,
    /// Requests of this worker, of those that are counted, whose verdict nobody has taken yet.
    here: usize,
    /// How many have ever been queued, and how many of those are not in `waiting` any more.
    came: u64,
    taken: u64,
    /// Somebody in `waiting` needs the verdict.
    is_urgent: bool,
    urgent: Arc<Notify>,
}

impl Queue {
    fn hurry(&mut self) {
        self.is_urgent = true;
        self.urgent.notify_one();
    }
}

/// A request that is to be counted, and who waits for it.
pub struct Waiting {
    pub caller: String,
    pub quota: Quota,
    pub told: oneshot::Sender<Verdict>,
}

/// Somebody counts what waits in a queue. When it ends, however it does, nobody waits in vain.
pub struct Counting(u64);

impl Counting {
    fn with<T>(&self, work: impl FnOnce(&mut Queue) -> T) -> T {
        QUEUES.with_borrow_mut(|queues| work(queues.entry(self.0).or_default()))
    }

    /// Waits until those who wait are to be counted, and takes them.
    pub async fn next(&self) -> Vec<Waiting> {
        // Whoever is here already goes along.
        tokio::task::yield_now().await;
        let urgent = self.with(|queue| Arc::clone(&queue.urgent));
        let in_time = async {
            while self.with(|queue| !queue.is_urgent && (1..MOST).contains(&queue.waiting.len())) {
                urgent.notified().await;
            }
        };
        // Their time is over, and nobody has asked for them.
        let _ = timeout(PATIENCE, in_time).await;
        self.with(|queue| {
            let rest = queue.waiting.split_off(queue.waiting.len().min(MOST));
            let next = std::mem::replace(&mut queue.waiting, rest);
            queue.taken = queue.came - queue.waiting.len() as u64;
            // Who is left has waited as long.
            queue.is_urgent = !queue.waiting.is_empty();
            next
        })
    }
}

impl Drop for Counting {
    fn drop(&mut self) {
        let id = self.0;
        let _ = QUEUES.try_with(|queues| {
            if let Some(queue) = queues.borrow_mut().get_mut(&id) {
                queue.waiting.clear();
                queue.taken = queue.came;
                (queue.is_counting, queue.is_urgent) = (false, false);
            }
        });
    }
}

/// The verdict on a request, once it has been counted.
pub struct Pending {
    verdict: oneshot::Receiver<Verdict>,
    /// Its place in the queue of its worker.
    place: Option<Place>,
}

/// A place in a queue, until it is dropped.
pub struct Place {
    id: u64,
    number: u64,
    /// Other workers have queues of their own.
    here: PhantomData<Rc<()>>,
}

impl Pending {
    pub fn new(verdict: oneshot::Receiver<Verdict>, place: Option<Place>) -> Self {
        Self { verdict, place }
    }

    /// The verdict, now that it is needed; `None` when Redis is away.
    pub async fn told(mut self) -> Option<Verdict> {
        match self.verdict.try_recv() {
            Err(oneshot::error::TryRecvError::Empty) => {}
            told => return told.ok(),
        }
        if let Some(Place { id, number, .. }) = &self.place {
            QUEUES.with_borrow_mut(|queues| {
                if let Some(queue) = queues.get_mut(id).filter(|queue| *number > queue.taken) {
                    queue.hurry();
                }
            });
        }
        (&mut self.verdict).await.ok()
    }
}

impl Place {
    /// Puts a request into the queue of this worker. If nobody counts what is there, whoever is answered has to.
    pub fn take(id: u64, waiting: Waiting) -> (Self, Option<Counting>) {
        QUEUES.with_borrow_mut(|queues| {
            let queue = queues.entry(id).or_default();
            queue.waiting.push(waiting);
            queue.here += 1;
            queue.came += 1;
            if queue.here == 1 || queue.waiting.len() == MOST {
                queue.hurry();
            }
            let place = Self { id, number: queue.came, here: PhantomData };
            let is_counting = std::mem::replace(&mut queue.is_counting, true);
            (place, (!is_counting).then(|| Counting(id)))
        })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let id = self.id;
        let _ = QUEUES.try_with(|queues| {
            if let Some(queue) = queues.borrow_mut().get_mut(&id) {
                queue.here -= 1;
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use tokio_util::sync::CancellationToken;

    use super::*;
    use crate::redis::counter::tests::{connected, quota};

    /// Those who can wait are counted together, when the first of them cannot wait any longer, and soon if all can.
    #[tokio::test(flavor = "current_thread")]
    async fn those_who_can_wait_are_counted_together() {
        let stop = CancellationToken::new();
        let redis = connected("together", &stop).await;
        let ask = || redis.count("one".to_owned(), quota(10));
        let left = |verdict: Option<Verdict>| verdict.map(|verdict| verdict.remaining);

        let is_urgent = || QUEUES.with_borrow(|queues| queues.values().any(|queue| queue.is_urgent));

        // Nobody else is here: it does not wait.
        let mut alone = ask();
        assert!(is_urgent());
        assert_eq!(left((&mut alone.verdict).await.ok()), Some(9));

        let (second, mut third) = (ask(), ask());
        assert!(!is_urgent());
        assert_eq!(left(second.told().await), Some(8));
        assert_eq!(left(third.verdict.try_recv().ok()), Some(7), "one script counts both");

        // Others have to know of it, even if nobody asks for its verdict.
        let mut fourth = ask();
        assert_eq!(left((&mut fourth.verdict).await.ok()), Some(6));
        stop.cancel();
    }
}
