//! Connections that belong to one actix worker each: what it asks does not cross threads, which takes longer than many a
//! query.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use deadpool::managed::{PoolError, TimeoutType};
use diesel_async::pooled_connection::PoolError as ConnectionError;
use diesel_async::pooled_connection::deadpool as deadpool_pool;
use tokio::runtime::{Handle, RuntimeFlavor};

use crate::Conn;
use crate::pool::PooledConnection;

/// A worker waits for so long for one of its own connections, and then for any other: a report may hold its own.
pub(crate) const PATIENCE: Duration = Duration::from_millis(5);

/// As many requests of a worker wait for each of its own connections. Another one would wait longer than it takes to
/// cross threads.
const QUEUE: usize = 3;

/// A part of all connections that belongs to workers: the others serve commands, consumers and jobs.
const PART: usize = 3;

pub(crate) type Connections = deadpool_pool::Pool<Conn>;
type Failed = PoolError<ConnectionError>;
type Make = dyn Fn() -> Result<Connections, deadpool::managed::BuildError> + Send + Sync;

/// The next [`Lanes`] of this process.
static NEXT: AtomicU64 = AtomicU64::new(0);

thread_local! {
    /// The lane of this worker, for each [`Lanes`] of the process.
    static OWN: RefCell<HashMap<u64, Lane>> = RefCell::default();
}

/// The lanes of a pool, one for each worker that has asked. Cloning it shares it.
#[derive(Clone)]
pub(crate) struct Lanes(Arc<Inner>);

struct Inner {
    id: u64,
    /// At most so many.
    most: usize,
    make: Box<Make>,
    open: Mutex<Open>,
}

#[derive(Default)]
struct Open {
    lanes: HashMap<u64, Connections>,
    made: u64,
    is_closed: bool,
}

/// A worker's own. It ends with its thread.
struct Lane {
    number: u64,
    lanes: Lanes,
    connections: Connections,
}

impl Drop for Lane {
    fn drop(&mut self) {
        self.connections.close();
        self.lanes.open(|open| open.lanes.remove(&self.number));
    }
}

/// How many of `connections` each of `workers` has to itself.
pub(crate) fn each(connections: usize, workers: usize) -> usize {
    (connections / PART).checked_div(workers).unwrap_or(0)
}

impl Lanes {
    /// For as many workers; `make` makes the connections of one.
    pub(crate) fn new(most: usize, make: Box<Make>) -> Self {
        let id = NEXT.fetch_add(1, Ordering::Relaxed);
        Self(Arc::new(Inner { id, most, make, open: Mutex::default() }))
    }

    /// One of the worker's own connections; `None` if this is no worker, or has no free one just now.
    pub(crate) async fn get(&self) -> Option<Result<PooledConnection, Failed>> {
        let own = self.own()?;
        let status = own.status();
        if status.waiting >= QUEUE * status.max_size {
            return None;
        }
        match own.get().await {
            Err(PoolError::Timeout(TimeoutType::Wait)) => None,
            answer => Some(answer),
        }
    }

    /// Closes them, and makes no others.
    pub(crate) fn close(&self) {
        self.open(|open| {
            open.is_closed = true;
            open.lanes.values().for_each(Connections::close);
        });
    }

    /// The connections of each lane.
    pub(crate) fn all(&self) -> Vec<Connections> {
        self.open(|open| open.lanes.values().cloned().collect())
    }

    /// What begins on a worker ends there: its runtime has one thread.
    fn own(&self) -> Option<Connections> {
        let is_worker = |runtime: Handle| runtime.runtime_flavor() == RuntimeFlavor::CurrentThread;
        if self.0.most == 0 || !Handle::try_current().is_ok_and(is_worker) {
            return None;
        }
        OWN.with_borrow_mut(|own| {
            if let Some(lane) = own.get(&self.0.id) {
                return Some(lane.connections.clone());
            }
            let lane = self.begin()?;
            Some(own.entry(self.0.id).or_insert(lane).connections.clone())
        })
    }

    fn begin(&self) -> Option<Lane> {
        self.open(|open| {
            if open.is_closed || open.lanes.len() >= self.0.most {
                return None;
            }
            // It fails for settings that would have failed the pool before; the others serve this worker then.
            let connections = (self.0.make)().ok()?;
            let number = open.made;
            open.made += 1;
            open.lanes.insert(number, connections.clone());
            Some(Lane { number, lanes: self.clone(), connections })
        })
    }

    fn open<T>(&self, act: impl FnOnce(&mut Open) -> T) -> T {
        act(&mut self.0.open.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
