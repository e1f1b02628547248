//! Which requests may be sent again, and how many of them.

use std::time::Duration;

/// Attempts at one request, the first included.
pub const ATTEMPTS: u32 = 3;

/// Tokens that one retry costs.
const RETRY: u64 = 1_000;

/// Tokens that a request brings: one retry for five of them.
const REQUEST: u64 = RETRY / 5;

/// Tokens that a millisecond brings, one retry a second, so that a module with few requests has retries too.
const MILLISECOND: u64 = RETRY / 1_000;

/// Tokens that are kept at most, and that there are at first.
const MOST: u64 = 10 * RETRY;

/// Whether sending it twice does no more than sending it once. `is_whole`: its body, or that it has none, is
/// known, so that it can be sent again.
pub fn is_repeatable(method: &str, has_key: bool, has_body: bool, is_whole: bool) -> bool {
    match method {
        _ if !is_whole => false,
        "GET" | "HEAD" | "OPTIONS" => true,
        "PUT" | "DELETE" => has_key || !has_body,
        "POST" | "PATCH" => has_key,
        _ => false,
    }
}

/// How many retries a module has to bear: a fifth of its requests, one a second in any case, ten at once at most.
/// Without it a module that fails would get three times the load, just then. Times are since any moment.
#[derive(Debug)]
pub struct Budget {
    tokens: u64,
    filled: Duration,
}

impl Default for Budget {
    fn default() -> Self {
        Self { tokens: MOST, filled: Duration::ZERO }
    }
}

impl Budget {
    /// A request came.
    pub fn asked(&mut self) {
        self.tokens = (self.tokens + REQUEST).min(MOST);
    }

    /// Whether it may be sent again; if so, it is paid for.
    pub fn spend(&mut self, now: Duration) -> bool {
        let millis = now.saturating_sub(self.filled).as_millis().try_into().unwrap_or(u64::MAX);
        self.tokens = self.tokens.saturating_add(millis.saturating_mul(MILLISECOND)).min(MOST);
        self.filled += Duration::from_millis(millis);
        let may = self.tokens >= RETRY;
        if may {
            self.tokens -= RETRY;
        }
        may
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_may_be_sent_again() {
        for method in ["GET", "HEAD", "OPTIONS", "PUT", "DELETE"] {
            assert!(is_repeatable(method, false, false, true), "{method}");
            assert!(!is_repeatable(method, true, true, false), "{method}: its body is gone");
        }
        for method in ["POST", "PATCH", "PUT"] {
            assert!(!is_repeatable(method, false, true, true), "{method}: it might be done twice");
            assert!(is_repeatable(method, true, true, true), "{method}: its key tells");
        }
        assert!(!is_repeatable("POST", false, false, true));
        assert!(!is_repeatable("PURGE", true, false, true), "nobody knows what it does");
    }

    proptest! {
        #[test]
        fn retries_are_few(steps in prop::collection::vec((0_u64..50, 0_u64..3, 0_u64..5), 0..300)) {
            let mut budget = Budget::default();
            let (mut now, mut asked, mut spent) = (Duration::ZERO, 0, 0);
            for (millis, requests, retries) in steps {
                now += Duration::from_millis(millis);
                for _ in 0..requests {
                    budget.asked();
                    asked += 1;
                }
                spent += (0..retries).filter(|_| budget.spend(now)).count() as u64;
                prop_assert!(spent * 5 <= 50 + asked + 5 * (now.as_secs() + 1));
            }
            prop_assert!(budget.spend(now + Duration::from_secs(1)), "there is one a second");
        }
    }
}
