//! Whatever order messages come in, each handler sees what its order promises.

use std::collections::BTreeMap;

use bhiv_events::crm::LeadCreated;
use bhiv_events::{Contract as _, Event, Producer};
use bhiv_outbox::{Order, Processor};
use futures_util::future::join_all;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::system::{Handler, Service, id, number};

const SUBJECTS: u128 = 2;
const CHANGES: u128 = 5;

/// A change of a subject; its id tells which.
fn change(subject: u128, sequence: u128) -> Event {
    let id = id(subject * 100 + sequence);
    let event = Event::around(id, &LeadCreated { lead_id: id, ..LeadCreated::sample() });
    Event { subject: format!("lead/{subject}"), sequence: i64::try_from(sequence).unwrap(), ..event }
}

/// Every change at least once and some several times, in any order, and how many come at the same moment.
fn arrivals() -> impl Strategy<Value = Vec<(Vec<(u128, u128)>, usize)>> {
    let every: Vec<_> =
        (1..=SUBJECTS).flat_map(|subject| (1..=CHANGES).map(move |sequence| (subject, sequence))).collect();
    let again = prop::collection::vec((1..=SUBJECTS, 1..=CHANGES), 0..6);
    again
        .prop_map(move |again| every.iter().copied().chain(again).collect::<Vec<_>>())
        .prop_shuffle()
        .prop_flat_map(|all| {
            let sizes = prop::collection::vec(1_usize..5, all.len());
            (Just(all), sizes)
        })
        .prop_map(|(all, sizes)| {
            let (mut rest, mut groups) = (all.as_slice(), Vec::new());
            for size in sizes {
                let (group, others) = rest.split_at(size.min(rest.len()));
                if group.is_empty() {
                    break;
                }
                groups.push((group.to_vec(), size));
                rest = others;
            }
            groups
        })
}

/// Delivers all of it to two replicas, and answers the sequences that each subject's handler saw, in order.
async fn seen(
    task: &Service,
    replicas: &[Processor; 2],
    groups: &[(Vec<(u128, u128)>, usize)],
) -> Vec<Vec<u128>> {
    task.execute("TRUNCATE effects, inbox, inbox_parked, subject_seq, outbox").await;
    for (group, _) in groups {
        let delivering = group.iter().zip(replicas.iter().cycle());
        let delivering =
            delivering.map(|((subject, sequence), replica)| replica.deliver(change(*subject, *sequence)));
        for outcome in join_all(delivering).await {
            outcome.unwrap();
        }
    }
    for _ in 0..SUBJECTS * CHANGES {
        if task.count("inbox_parked").await == 0 {
            break;
        }
        task.execute("UPDATE inbox_parked SET next_attempt_at = now()").await;
        replicas[0].retry_parked().await.unwrap();
    }
    assert_eq!(task.count("inbox_parked").await, 0);
    assert_eq!(task.count("outbox").await, 0, "no dead letters");
    let mut seen: BTreeMap<u128, Vec<u128>> = BTreeMap::new();
    for effect in task.effects().await {
        seen.entry(number(effect) / 100).or_default().push(number(effect) % 100);
    }
    seen.into_values().collect()
}

fn holds(order: Order, is_kept: impl Fn(&[u128]) -> bool) {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let task = runtime.block_on(Service::new(Producer::Task));
    let replicas = {
        let _runtime = runtime.enter();
        [(), ()].map(|()| task.processor_with(Handler::default(), order))
    };
    let mut runner = TestRunner::new(Config { cases: 24, failure_persistence: None, ..Config::default() });
    let result = runner.run(&arrivals(), |groups| {
        let seen = runtime.block_on(seen(&task, &replicas, &groups));
        prop_assert_eq!(seen.len(), usize::try_from(SUBJECTS).unwrap());
        for sequences in seen {
            prop_assert!(is_kept(&sequences), "{:?}", sequences);
        }
        Ok(())
    });
    result.unwrap();
}

#[test]
fn none_sees_every_change_once() {
    holds(Order::None, |seen| {
        let mut sorted = seen.to_vec();
        sorted.sort_unstable();
        sorted == (1..=CHANGES).collect::<Vec<_>>()
    });
}

#[test]
fn latest_sees_rising_changes_up_to_the_newest() {
    holds(Order::Latest, |seen| seen.is_sorted_by(|one, next| one < next) && seen.last() == Some(&CHANGES));
}

#[test]
fn strict_sees_every_change_in_its_turn() {
    holds(Order::Strict, |seen| seen == (1..=CHANGES).collect::<Vec<_>>());
}
