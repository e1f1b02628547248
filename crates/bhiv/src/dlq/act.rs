//! Putting dead letters back, and dropping them.
//!
//! What is about to be done is committed as audit rows of the letters' service first, some letters at a time: so
//! the intent is known even if the tool dies in between.

use std::collections::HashSet;
use std::time::Duration;

use bhiv_broker::dead_letters::{DeadLetters, Letter, NotBack, in_order};
use bhiv_events::Producer;
use bhiv_outbox::operations::Action;
use clap::Args;
use serde_json::json;
use tokio::time::{Instant, MissedTickBehavior};

use super::{Which, open, queue, table};
use crate::Outcome;
use crate::events::BrokerUrl;
use crate::operator::{Acting, DatabaseUrl, Services, Tables, connect};

/// Letters whose audit rows are committed together.
const AUDITED: usize = 100;

/// RabbitMQ takes letters back from whoever holds them for 30 minutes.
const LONGEST: Duration = Duration::from_mins(25);

/// `bhiv dlq redrive`
#[derive(Args, Debug)]
pub struct Redrive {
    #[command(flatten)]
    broker: BrokerUrl,
    #[command(flatten)]
    database: DatabaseUrl,
    #[command(flatten)]
    services: Services,
    #[command(flatten)]
    which: Which,
    /// Letters a second, at most.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    rate: u32,
    #[command(flatten)]
    acting: Acting,
}

/// `bhiv dlq drop`
#[derive(Args, Debug)]
pub struct Drop {
    #[command(flatten)]
    broker: BrokerUrl,
    #[command(flatten)]
    database: DatabaseUrl,
    #[command(flatten)]
    services: Services,
    #[command(flatten)]
    which: Which,
    /// All, when neither service, class nor id is named.
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    acting: Acting,
}

impl Redrive {
    pub async fn run(self) -> Outcome {
        let connector = connect(&self.broker.operator_amqp_url).await?;
        let (mut meant, mut left) = (0, 0);
        for service in self.services.all() {
            let Some(mut dead) = open(&connector, service, &self.services).await? else { continue };
            // The queue's order, and by sequence within a subject: so no consumer meets changes of one record in
            // the wrong order.
            let letters = in_order(self.which.of(dead.take()));
            meant += letters.len();
            let mut put_back = Ok(0);
            if self.acting.apply && !letters.is_empty() {
                put_back = self.put_back(service, &mut dead, letters).await;
            } else if !letters.is_empty() {
                preview(&letters);
            }
            // In any case: what was removed so far shall be gone.
            let closed = dead.close().await;
            left += put_back?;
            closed?;
        }
        connector.close().await;
        if left > 0 {
            return Err(format!("{left} of {meant} letters are where they were: see the lines above").into());
        }
        conclude(self.acting.apply, meant, "put back in this order", "put back");
        Ok(())
    }

    fn is_short_enough(&self, letters: usize) -> Result<(), String> {
        let seconds = letters as u64 / u64::from(self.rate);
        if seconds <= LONGEST.as_secs() {
            return Ok(());
        }
        Err(format!(
            "{letters} letters at {} a second take too long, RabbitMQ takes them back after 30 minutes: raise \
             --rate, or select fewer",
            self.rate
        ))
    }

    /// Answers how many letters are where they were.
    async fn put_back(
        &self,
        service: Producer,
        dead: &mut DeadLetters,
        letters: Vec<Letter>,
    ) -> Result<usize, Box<dyn std::error::Error>> {
        self.is_short_enough(letters.len())?;
        let tables = Tables::of(&self.database, service).await?;
        let total = letters.len();
        let letters: Vec<_> = letters.into_iter().filter(can_be_put_back).collect();
        let mut pace = tokio::time::interval(Duration::from_secs(1) / self.rate);
        pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut progress = Progress::new(service, total);
        let mut stuck: HashSet<(&str, &str)> = HashSet::new();
        let mut done = 0;
        for some in letters.chunks(AUDITED) {
            tables.record(&self.acting, actions("dlq.redrive", some)).await?;
            for letter in some {
                let line = letter.line();
                if line.is_some_and(|line| stuck.contains(&line)) {
                    eprintln!("{}: an earlier letter of its subject was refused", letter.message_id);
                    continue;
                }
                pace.tick().await;
                match dead.put_back(letter).await {
                    Ok(()) => {
                        dead.remove(letter).await?;
                        done += 1;
                    }
                    Err(NotBack::Refused(reason)) => {
                        eprintln!("{}: {reason}", letter.message_id);
                        stuck.extend(line);
                    }
                    Err(error) => {
                        let so_far =
                            format!("{done} of {total} letters of {} are put back", service.prefix());
                        return Err(format!("{so_far}; {}: {error}; run it again", letter.message_id).into());
                    }
                }
                progress.tell(done);
            }
        }
        Ok(total - done)
    }
}

impl Drop {
    pub async fn run(self) -> Outcome {
        if !self.all && !self.services.are_named() && self.which.is_everything() {
            return Err("say which letters, with --service, --class or --id, or else --all".into());
        }
        let connector = connect(&self.broker.operator_amqp_url).await?;
        let mut meant = 0;
        for service in self.services.all() {
            let Some(mut dead) = open(&connector, service, &self.services).await? else { continue };
            let letters = self.which.of(dead.take());
            meant += letters.len();
            if self.acting.apply && !letters.is_empty() {
                let tables = Tables::of(&self.database, service).await?;
                for some in letters.chunks(AUDITED) {
                    tables.record(&self.acting, actions("dlq.drop", some)).await?;
                    for letter in some {
                        dead.remove(letter).await?;
                    }
                }
            } else if !letters.is_empty() {
                out!("{}", table(&letters));
            }
            dead.close().await?;
        }
        connector.close().await;
        conclude(self.acting.apply, meant, "dropped for good", "dropped");
        Ok(())
    }
}

fn preview(letters: &[Letter]) {
    out!("{}", table(letters));
    for letter in letters {
        if let Err(reason) = letter.requeued() {
            out!("{} cannot be put back: {reason}", letter.message_id);
        }
    }
}

fn conclude(applied: bool, meant: usize, future: &str, past: &str) {
    match (applied, meant) {
        (_, 0) => out!("there are no such dead letters"),
        (true, _) => out!("{meant} letters are {past}"),
        (false, _) => out!("{meant} letters would be {future}; nothing is done yet: repeat it with --apply"),
    }
}

fn can_be_put_back(letter: &Letter) -> bool {
    match letter.requeued() {
        Ok(_) => true,
        Err(reason) => {
            eprintln!("{} cannot be put back: {reason}", letter.message_id);
            false
        }
    }
}

fn actions(action: &str, letters: &[Letter]) -> Vec<Action> {
    let action = |letter: &Letter| Action {
        action: action.to_owned(),
        entity: format!("message/{}", letter.message_id),
        after: json!({
            "class": letter.class,
            "queue": queue(letter),
            "error": letter.error,
            "attempts": letter.attempts,
            "redrives": letter.attempt - 1,
        }),
    };
    letters.iter().map(action).collect()
}

/// Says once a second how far it is.
struct Progress {
    service: Producer,
    total: usize,
    told: Instant,
}

impl Progress {
    fn new(service: Producer, total: usize) -> Self {
        Self { service, total, told: Instant::now() }
    }

    fn tell(&mut self, done: usize) {
        if self.told.elapsed() >= Duration::from_secs(1) {
            self.told = Instant::now();
            eprintln!("{}: {done} of {} letters are put back", self.service.prefix(), self.total);
        }
    }
}
