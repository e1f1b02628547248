use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::policy::Policy;

/// The policies that a replica decides with: in memory, and as new as it last looked. Cloning it shares it.
#[derive(Clone, Debug, Default)]
pub struct Served(Arc<Mutex<HashMap<String, Held>>>);

#[derive(Clone, Debug)]
struct Held {
    version: i64,
    policy: Arc<Policy>,
}

impl Served {
    /// The policy for a kind of decision, if it has been looked for.
    pub fn get(&self, kind: &str) -> Option<Arc<Policy>> {
        self.held(|held| held.get(kind).map(|held| Arc::clone(&held.policy)))
    }

    /// Decides with `policy` from now on, unless there is a newer one. `version` counts every change of it; the version
    /// that decides may be an older one.
    pub fn put(&self, kind: &str, version: i64, policy: Policy) -> Arc<Policy> {
        self.held(|held| {
            if let Some(known) = held.get(kind).filter(|known| known.version >= version) {
                return Arc::clone(&known.policy);
            }
            let policy = Arc::new(policy);
            held.insert(kind.to_owned(), Held { version, policy: Arc::clone(&policy) });
            policy
        })
    }

    /// Of these kinds and versions, those that it has in another version or not at all.
    pub fn outdated(&self, newest: Vec<(String, i64)>) -> Vec<String> {
        self.held(|held| {
            let is_old =
                |kind: &String, version: i64| held.get(kind).is_none_or(|held| held.version < version);
            newest
                .into_iter()
                .filter(|(kind, version)| is_old(kind, *version))
                .map(|(kind, _)| kind)
                .collect()
        })
    }

    fn held<T>(&self, with: impl FnOnce(&mut HashMap<String, Held>) -> T) -> T {
        with(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
