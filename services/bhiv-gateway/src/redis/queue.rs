//! Who waits to be counted. Those that come while Redis answers are counted together, next, and so are those whose answer
//! is still being made, until the first of them needs its verdict: under load, one script counts many.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, oneshot};
use tokio::time::timeout;

use crate::domain::quota::{Quota, Verdict};

/// Requests that one script counts, at most: Redis does nothing else meanwhile.
const MOST: usize = 256;

/// A request is counted so long after it came, or after the script before it, at the latest, whatever its module takes to
/// answer: others have to know.
const PATIENCE: Duration = Duration::from_millis(5);

/// Requests of this process, all workers together: so one script counts more of them. Cloning it shares it.
#[derive(Clone, Default)]
pub struct Queue(Arc<Inner>);

#[derive(Default)]
struct Inner {
    state: Mutex<State>,
    urgent: Notify,
}

#[derive(Default)]
struct State {
    waiting: Vec<Waiting>,
    is_counting: bool,
    /// Requests whose verdict nobody has taken yet.
    here: usize,
    /// How many have ever been queued, and how many of those are not in `waiting` any more.
    came: u64,
    taken: u64,
    /// Somebody in `waiting` needs the verdict.
    is_urgent: bool,
}

/// A request that is to be counted, and who waits for it.
pub struct Waiting {
    pub caller: String,
    pub quota: Quota,
    pub told: oneshot::Sender<Verdict>,
}

/// Somebody counts what waits in a queue. When it ends, however it does, nobody waits in vain.
pub struct Counting {
    queue: Queue,
    is_over: bool,
}

/// The verdict on a request, once it has been counted.
pub struct Pending {
    verdict: oneshot::Receiver<Verdict>,
    queue: Queue,
    /// Its place in the queue.
    number: u64,
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn hurry(&self, state: &mut State) {
        state.is_urgent = true;
        self.0.urgent.notify_one();
    }

    /// Puts a request into the queue. If nobody counts what is there, whoever is answered has to.
    pub fn put(&self, caller: String, quota: Quota) -> (Pending, Option<Counting>) {
        let (told, verdict) = oneshot::channel();
        let mut state = self.lock();
        state.waiting.push(Waiting { caller, quota, told });
        state.here += 1;
        state.came += 1;
        if state.here == 1 || state.waiting.len() == MOST {
            self.hurry(&mut state);
        }
        let pending = Pending { verdict, queue: self.clone(), number: state.came };
        let is_counting = std::mem::replace(&mut state.is_counting, true);
        (pending, (!is_counting).then(|| Counting { queue: self.clone(), is_over: false }))
    }
}

impl Counting {
    /// Waits until those who wait are to be counted, and takes them; nothing if nobody waits any more, which ends it.
    pub async fn next(&mut self) -> Option<Vec<Waiting>> {
        // Whoever is here already goes along.
        tokio::task::yield_now().await;
        let may_wait = || {
            let state = self.queue.lock();
            !state.is_urgent && (1..MOST).contains(&state.waiting.len())
        };
        let in_time = async {
            while may_wait() {
                self.queue.0.urgent.notified().await;
            }
        };
        // Their time is over, and nobody has asked for them.
        let _ = timeout(PATIENCE, in_time).await;
        let mut state = self.queue.lock();
        if state.waiting.is_empty() {
            // Under the lock: whoever comes next sees to it.
            state.is_counting = false;
            drop(state);
            self.is_over = true;
            return None;
        }
        let count = state.waiting.len().min(MOST);
        let rest = state.waiting.split_off(count);
        let next = std::mem::replace(&mut state.waiting, rest);
        state.taken = state.came - state.waiting.len() as u64;
        // Who is left has waited as long.
        state.is_urgent = !state.waiting.is_empty();
        Some(next)
    }
}

impl Drop for Counting {
    fn drop(&mut self) {
        if self.is_over {
            return;
        }
        let mut state = self.queue.lock();
        state.waiting.clear();
        state.taken = state.came;
        (state.is_counting, state.is_urgent) = (false, false);
    }
}

impl Pending {
    /// The verdict, now that it is needed; `None` when Redis is away.
    pub async fn told(mut self) -> Option<Verdict> {
        match self.verdict.try_recv() {
            Err(oneshot::error::TryRecvError::Empty) => {}
            told => return told.ok(),
        }
        {
            let mut state = self.queue.lock();
            if self.number > state.taken {
                self.queue.hurry(&mut state);
            }
        }
        (&mut self.verdict).await.ok()
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        self.queue.lock().here -= 1;
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

        let is_urgent = || redis.queue.lock().is_urgent;

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

    /// Whoever counts may end in the middle, with its worker: nobody waits for it, and the next one counts again.
    #[tokio::test(flavor = "current_thread")]
    async fn nobody_waits_for_who_has_ended() {
        let queue = Queue::default();
        let (first, counting) = queue.put("one".to_owned(), quota(10));
        let (second, other) = queue.put("two".to_owned(), quota(10));
        assert!(other.is_none());
        let mut counting = counting.unwrap();
        assert_eq!(counting.next().await.unwrap().len(), 2);
        let (third, _) = queue.put("three".to_owned(), quota(10));
        drop(counting);
        for pending in [first, second, third] {
            assert_eq!(pending.told().await.map(|verdict| verdict.remaining), None);
        }
        assert_eq!(queue.lock().here, 0);

        let (_fourth, counting) = queue.put("four".to_owned(), quota(10));
        let mut counting = counting.unwrap();
        assert_eq!(counting.next().await.unwrap().len(), 1);
        assert!(counting.next().await.is_none());
        let (_fifth, counting) = queue.put("five".to_owned(), quota(10));
        assert!(counting.is_some(), "nobody counts any more");
    }

    /// However workers come and go, everybody is counted.
    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn everybody_is_counted_whichever_worker_they_are_on() {
        let stop = CancellationToken::new();
        let redis = connected("workers", &stop).await;
        let many = (0..8).map(|_| {
            let redis = redis.clone();
            tokio::spawn(async move {
                for _ in 0..200 {
                    redis.count("all".to_owned(), quota(5_000)).told().await.unwrap();
                    tokio::task::yield_now().await;
                }
            })
        });
        for one in many.collect::<Vec<_>>() {
            one.await.unwrap();
        }
        let last = redis.count("all".to_owned(), quota(5_000)).told().await.unwrap();
        assert_eq!(last.remaining, 5_000 - 1_601);
        stop.cancel();
    }
}
