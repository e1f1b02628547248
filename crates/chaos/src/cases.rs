//! The faults. Each case begins with a fresh lab, breaks something while clients write, and ends with the
//! checker.

mod broker;
mod cluster;
mod consumer;
mod database;
mod processes;
mod system;

use futures_util::future::BoxFuture;

use crate::Result;
use crate::arena::Arena;

/// One fault.
pub struct Case {
    /// As in the documentation.
    pub number: u8,
    /// What it is run by.
    pub name: &'static str,
    /// What is broken.
    pub fault: &'static str,
    /// What holds all the same.
    pub promise: &'static str,
    /// Whether it takes a few seconds only.
    pub quick: bool,
    /// Breaks it.
    pub run: for<'a> fn(&'a mut Arena) -> BoxFuture<'a, Result<Verdict>>,
}

impl std::fmt::Debug for Case {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.number, self.name)
    }
}

/// What a case found.
#[derive(Debug)]
pub enum Verdict {
    /// Everything that it promises; what was measured.
    Holds(String),
    /// It cannot be run on this machine: why.
    NotHere(String),
}

/// One line per case: number, name, quick or slow, fault, promise, function.
macro_rules! cases {
    ($($number:literal $name:literal $speed:ident, $fault:literal, $promise:literal, $run:path;)*) => {
        &[$(Case {
            number: $number,
            name: $name,
            fault: $fault,
            promise: $promise,
            quick: matches!(Speed::$speed, Speed::quick),
            run: |arena| Box::pin($run(arena)),
        }),*]
    };
}

#[expect(non_camel_case_types, reason = "they stand as words in the table")]
enum Speed {
    quick,
    slow,
}

/// Every case, by number.
pub fn all() -> &'static [Case] {
    ALL
}

static ALL: &[Case] = cases! {
        1 "crash-before-commit" quick, "the process dies before the business commit",
            "no row and no event; the client repeats", processes::crash_before_commit;
        2 "crash-after-commit" quick, "the process dies after the commit, before publishing",
            "another relay publishes", processes::crash_after_commit;
        3 "crash-before-confirm" quick, "the relay dies after publishing, before the confirm",
            "perhaps twice on the wire, never lost", processes::crash_before_confirm;
        4 "crash-before-delete" quick, "the relay dies after the confirm, before the delete",
            "twice on the wire, once in effect", processes::crash_before_delete;
        5 "crash-in-handler" quick, "the consumer dies before its commit",
            "delivered again, one effect", processes::crash_in_handler;
        6 "crash-before-ack" quick, "the consumer dies after its commit, before the ack",
            "delivered again, skipped", processes::crash_before_ack;
        7 "crash-after-parking" quick, "the consumer dies after parking, before the ack",
            "one parked row", processes::crash_after_parking;
        8 "crash-in-redrive" quick, "the operator's tool dies between the confirm and the removal",
            "twice on the wire, once in effect", consumer::crash_in_redrive;
        9 "broker-killed" slow, "RabbitMQ is killed and started under load",
            "no confirmed message is lost", broker::killed;
        10 "broker-restarted" slow, "RabbitMQ is restarted in good order under load",
            "everybody comes back by themselves", broker::restarted;
        35 "connections-closed" quick, "an operator closes every connection, ten times",
            "everybody comes back by themselves", broker::connections_closed;
        11 "broker-frozen" slow, "RabbitMQ answers nothing, and the connection stays",
            "noticed by the heartbeat; rows are kept", broker::frozen;
        12 "brokers-parted" slow, "of RabbitMQ's three nodes one falls silent, and then a second one",
            "two go on; one alone confirms nothing; all heals by itself", cluster::parted;
        13 "disk-alarm" quick, "RabbitMQ takes no messages because its disk is full",
            "clients do not notice; consumers go on", broker::alarm;
        14 "queue-full" quick, "a queue is at its limit and refuses",
            "rows are parked and published later", broker::queue_full;
        15 "unroutable" slow, "a binding disappears under load",
            "returned, parked, published later", broker::unroutable;
        16 "poison-row" quick, "rows that the broker refuses with 403 and 404",
            "the culprits are parked, the others flow", broker::poison;
        17 "duplicates" quick, "every message comes three times",
            "one effect", consumer::duplicates;
        18 "disorder" quick, "messages come in any order",
            "Latest ignores, Strict waits", consumer::disorder;
        36 "gap" quick, "one message comes long after those that follow it",
            "Strict waits for it", consumer::gap;
        19 "garbage" quick, "undecodable, unknown and invalid messages amid good ones",
            "dead letters at once; the queue is not held up", consumer::garbage;
        20 "aborting-handler" slow, "a handler ends the process at one message, again and again",
            "the broker gives that one up; the innocent survive", consumer::aborting;
        37 "panicking-handler" quick, "a handler panics at some messages",
            "those are parked; the others are handled", consumer::panicking;
        21 "hanging-handler" slow, "a handler never comes back",
            "cut off, parked, handled later", consumer::hanging;
        22 "database-restarted" slow, "PostgreSQL is killed and started, three times",
            "messages are held; no ack before a commit", database::restarted;
        23 "database-read-only" quick, "the primary becomes a replica and a primary again",
            "connections are replaced; nothing is lost", database::read_only;
        24 "leader-ended" quick, "the relay's session is ended, ten times",
            "another leads; twice on the wire at most", database::leader_ended;
        25 "deadlocks" quick, "transactions lock the same records in every order",
            "they are run again; no dead letter", database::deadlocks;
        26 "old-snapshots" quick, "an old snapshot and a late commit stand by",
            "the relay keeps up and skips nothing", database::old_snapshots;
        27 "disk-full" slow, "PostgreSQL's disk is full, and has room again",
            "writes are answered with 503; all goes on by itself", database::disk_full;
        28 "redis-lost" slow, "Redis is killed, emptied and stalled under the real services",
            "nobody notices but by the clock", system::redis;
        29 "clocks-astray" quick, "processes are an hour ahead and an hour behind, and one steps back",
            "order and recognition are not affected", processes::clocks_astray;
        30 "backlog" slow, "consumers are away while ten thousand changes are made",
            "producers do not notice; memory is flat; it drains", consumer::backlog;
        31 "two-migrate" quick, "eight processes start at once on empty schemas",
            "one migrates, the others wait", database::two_migrate;
        32 "ended-under-load" slow, "processes are told to end under load, fifty times",
            "each ends in order within 30 s; nothing is lost", processes::ended_under_load;
        33 "rights-taken" quick, "the broker takes away rights and passwords",
            "said, waited for, recovered from", broker::rights_taken;
        34 "nothing-declared" quick, "processes start before exchanges and queues are declared",
            "not ready, no crash loop, ready afterwards", broker::nothing_declared;
        38 "whole-system" slow, "services, RabbitMQ, PostgreSQL and Redis are killed at random under the real services",
            "every accepted request has all its effects once", system::whole;
        39 "rolled-out" slow, "every process is replaced by a new one, one after another, under constant load",
            "not one request fails; every effect once; streams go on", system::rolled_out;
        40 "restored" slow, "database, broker, Redis and keys are destroyed after a copy was taken under load",
            "nothing is lost that was accepted before the copy", system::restored;
        41 "standby-behind" slow, "the standby that reads go to is near, fails, is far behind, and away",
            "own writes are read at once, those of others within a second", system::standby_behind;
};
