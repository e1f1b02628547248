//! Which modules have changed since the answers kept from them were made void.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bhiv_events::Producer;
use tokio::sync::Notify;

/// The modules whose answers may be kept.
pub const MODULES: [Producer; 5] =
    [Producer::Crm, Producer::Logistics, Producer::Task, Producer::Compliance, Producer::Rl];

/// Changes of the modules, as this process learns of them. Cloning it shares it.
#[derive(Clone, Debug, Default)]
pub struct Changes(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    counts: [Count; MODULES.len()],
    news: Notify,
}

/// How many changes of a module there were, and up to which of them the answers from before are void.
#[derive(Debug, Default)]
struct Count {
    seen: AtomicU64,
    settled: AtomicU64,
}

/// A module's change that is not settled yet.
#[derive(Clone, Copy, Debug)]
pub struct Unsettled {
    /// Name of the module.
    pub module: &'static str,
    upto: u64,
}

impl Changes {
    /// `module` may have changed. Whoever calls it settles it, or leaves that with [`Changes::leave`].
    pub fn of(&self, module: &str) -> Option<Unsettled> {
        let (module, count) = self.count(module)?;
        Some(Unsettled { module, upto: count.seen.fetch_add(1, Ordering::SeqCst) + 1 })
    }

    /// Modules have told of something. What they tell of was committed there before, so nothing has to be waited for.
    pub fn told(&self, modules: &[&str]) {
        for module in modules {
            self.of(module);
        }
        self.leave();
    }

    /// Every module may have changed, or answers about what it has.
    pub fn everywhere(&self) {
        for module in MODULES {
            self.of(module.prefix());
        }
        self.leave();
    }

    /// Leaves it to the job to settle what is not.
    pub fn leave(&self) {
        self.0.news.notify_one();
    }

    /// Returns when there may be something to settle.
    pub async fn left(&self) {
        self.0.news.notified().await;
    }

    /// Everything that is not settled.
    pub fn unsettled(&self) -> Vec<Unsettled> {
        let modules = MODULES.iter().zip(&self.0.counts);
        modules
            .map(|(module, count)| (module, count, count.seen.load(Ordering::SeqCst)))
            .filter(|(_, count, seen)| count.settled.load(Ordering::SeqCst) < *seen)
            .map(|(module, _, upto)| Unsettled { module: module.prefix(), upto })
            .collect()
    }

    /// The answers from before these changes are void.
    pub fn settle(&self, changes: &[Unsettled]) {
        for Unsettled { module, upto } in changes {
            if let Some((_, count)) = self.count(module) {
                count.settled.fetch_max(*upto, Ordering::SeqCst);
            }
        }
    }

    /// Whether all changes of `module` that this process knows of are settled.
    pub fn is_settled(&self, module: &str) -> bool {
        self.count(module).is_some_and(|(_, count)| {
            let settled = count.settled.load(Ordering::SeqCst);
            settled >= count.seen.load(Ordering::SeqCst)
        })
    }

    fn count(&self, module: &str) -> Option<(&'static str, &Count)> {
        let mut modules = MODULES.iter().zip(&self.0.counts);
        modules.find(|(name, _)| name.prefix() == module).map(|(name, count)| (name.prefix(), count))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_later_change_is_not_settled_by_an_earlier_one() {
        let changes = Changes::default();
        assert!(changes.is_settled("crm") && changes.unsettled().is_empty());
        let first = changes.of("crm").unwrap();
        let second = changes.of("crm").unwrap();
        changes.settle(&[first]);
        assert!(!changes.is_settled("crm") && changes.is_settled("task"));
        changes.settle(&[second]);
        changes.settle(&[first]);
        assert!(changes.is_settled("crm"));
        assert!(changes.of("nobody").is_none() && !changes.is_settled("nobody"));
    }

    #[test]
    fn what_is_left_is_found() {
        let changes = Changes::default();
        changes.everywhere();
        let unsettled = changes.unsettled();
        assert_eq!(unsettled.len(), MODULES.len());
        changes.settle(&unsettled);
        assert!(changes.unsettled().is_empty());
    }
}
