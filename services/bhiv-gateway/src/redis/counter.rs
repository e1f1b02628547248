//! Counts requests in Redis: one script counts all that wait, and a caller who sends many at a time costs little more than
//! one.

use std::collections::HashMap;
use std::sync::LazyLock;

use deadpool_redis::redis::Script;
use tokio::sync::oneshot;

use super::Redis;
use super::queue::{Pending, Waiting};
use crate::domain::quota::{Quota, Verdict, count};

/// [`count`] for several requests of each key, with the time of Redis, which is the same for every replica. Answers
/// that time and, for each key, when its next request was due before: what became of each request follows from them.
/// Redis writes its numbers with 17 digits: none is rounded before the year 2255.
static COUNT: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "local time = redis.call('TIME')
         local now = time[1] * 1000000 + time[2]
         local answer = {now}
         for i, key in ipairs(KEYS) do
           local interval, window = tonumber(ARGV[3 * i - 2]), tonumber(ARGV[3 * i - 1])
           local arrival = math.max(tonumber(redis.call('GET', key) or now), now)
           local allowed = math.min(tonumber(ARGV[3 * i]), math.floor((now + window - arrival) / interval))
           if allowed > 0 then
             local next = arrival + allowed * interval
             redis.call('SET', key, next, 'PX', math.ceil((next - now) / 1000))
           end
           answer[i + 1] = arrival
         end
         return answer",
    )
});

impl Redis {
    /// Counts a request of `caller`: at once if no other is here, else together with others as soon as one of them needs
    /// the verdict, and soon anyway. Nothing is told when Redis is away.
    pub fn count(&self, caller: String, quota: Quota) -> Pending {
        let (pending, counting) = self.queue.put(caller, quota);
        if let Some(mut counting) = counting {
            let redis = self.clone();
            tokio::spawn(async move {
                while let Some(next) = counting.next().await {
                    redis.count_now(next).await;
                }
            });
        }
        pending
    }

    async fn count_now(&self, waiting: Vec<Waiting>) {
        let mut callers: HashMap<String, (Quota, Vec<oneshot::Sender<Verdict>>)> = HashMap::new();
        for Waiting { caller, quota, told } in waiting {
            callers.entry(caller).or_insert_with(|| (quota, Vec::new())).1.push(told);
        }
        let mut counting = COUNT.prepare_invoke();
        for (caller, (quota, told)) in &callers {
            let interval = quota.interval();
            counting.key(self.key(format_args!("rate:{caller}")));
            counting.arg(interval).arg(interval * u64::from(quota.requests)).arg(told.len());
        }
        let counted = self.ask("counting", async |conn| counting.invoke_async::<Vec<u64>>(conn).await);
        // Whoever is told nothing counts for itself.
        let Some(counted) = counted.await else { return };
        let Some((now, arrivals)) = counted.split_first() else { return };
        for ((quota, told), arrival) in callers.into_values().zip(arrivals) {
            let mut arrival = *arrival;
            for told in told {
                let (verdict, next) = count(quota, arrival, *now);
                arrival = next;
                // A client that has gone was counted all the same.
                let _ = told.send(verdict);
            }
        }
    }
}

#[cfg(test)]
pub mod tests {
    use std::time::Duration;

    use futures_util::future::join_all;
    use tokio_util::sync::CancellationToken;

    use super::*;
    use crate::config::RedisSettings;

    /// So slow that the time between two requests makes no difference.
    pub fn quota(requests: u32) -> Quota {
        Quota { requests, per: Duration::from_hours(1_000) }
    }

    pub async fn connected(name: &str, stop: &CancellationToken) -> Redis {
        let settings = RedisSettings {
            redis_url: bhiv_testing::servers().redis_url,
            redis_prefix: format!("{name}-{}", std::process::id()),
            redis_patience_ms: 10_000,
        };
        let redis = Redis::new(&settings).unwrap();
        tokio::spawn(redis.clone().keep_connected(stop.clone()));
        bhiv_testing::eventually(async || redis.count("connected".to_owned(), quota(1_000)).told().await)
            .await;
        redis
    }

    /// Redis counts like [`count`] does.
    #[tokio::test(flavor = "multi_thread")]
    async fn redis_counts_as_the_process_does() {
        let stop = CancellationToken::new();
        let redis = connected("count", &stop).await;
        for requests in [1, 2, 3, 7, 50] {
            let (quota, mut arrival) = (quota(requests), 0);
            for _ in 0..requests + 3 {
                let by_redis = redis.count(requests.to_string(), quota).told().await.unwrap();
                let (here, next) = count(quota, arrival, 0);
                arrival = next;
                assert_eq!((by_redis.is_allowed, by_redis.remaining), (here.is_allowed, here.remaining));
                // A minute of hours.
                assert!(by_redis.reset.abs_diff(here.reset) < 60_000_000, "{by_redis:?} {here:?}");
                assert!(
                    by_redis.retry_after.abs_diff(here.retry_after) < 60_000_000,
                    "{by_redis:?} {here:?}"
                );
            }
        }
        stop.cancel();
    }

    /// Of those that come at once, exactly as many pass as may, in their order, whichever replica counts them.
    #[tokio::test(flavor = "current_thread")]
    async fn those_that_come_at_once_are_counted_one_by_one() {
        let stop = CancellationToken::new();
        let (one, other) = (connected("at-once", &stop).await, connected("at-once", &stop).await);
        let ask = async |redis: &Redis, caller: &str, requests: u32, times: usize| {
            let asked = (0..times).map(|_| redis.count(caller.to_owned(), quota(requests)).told());
            join_all(asked).await.into_iter().map(Option::unwrap).collect::<Vec<_>>()
        };
        let left = |verdicts: &[Verdict]| -> Vec<_> {
            verdicts.iter().map(|verdict| verdict.is_allowed.then_some(verdict.remaining)).collect()
        };
        // More than one script counts, and others' requests among them.
        let (many, few) = futures_util::join!(ask(&one, "many", 700, 800), ask(&one, "few", 2, 3));
        let wanted: Vec<_> = (0..700).rev().map(Some).chain((0..100).map(|_| None)).collect();
        assert_eq!(left(&many), wanted);
        assert_eq!(left(&few), [Some(1), Some(0), None]);
        assert!(many.iter().skip(700).all(|refused| refused.retry_after > 0));

        let (here, there) = futures_util::join!(ask(&one, "both", 10, 8), ask(&other, "both", 10, 8));
        let passed = here.iter().chain(&there).filter(|verdict| verdict.is_allowed).count();
        assert_eq!(passed, 10);
        stop.cancel();
    }

    /// Without Redis nobody is kept waiting.
    #[tokio::test(flavor = "current_thread")]
    async fn nobody_waits_for_what_is_away() {
        let settings = RedisSettings {
            redis_url: bhiv_testing::servers().redis_url,
            redis_prefix: "away".to_owned(),
            redis_patience_ms: 10_000,
        };
        // Nobody has connected it.
        let redis = Redis::new(&settings).unwrap();
        for _ in 0..2 {
            let asked = (0..3).map(|_| redis.count("one".to_owned(), quota(5)).told());
            assert!(join_all(asked).await.iter().all(Option::is_none));
        }
    }
}
