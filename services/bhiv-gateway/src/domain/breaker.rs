//! Leaves a module alone that fails: a circuit breaker, without a clock of its own.

use std::time::Duration;

/// When a module is left alone, and for how long.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// After as many failures in a row, at least 1.
    pub failures: u32,
    /// At first, at most; it doubles with each probe that fails.
    pub pause: Duration,
    /// In the end, at most.
    pub longest: Duration,
}

/// A circuit breaker. Times are since any moment, the same for all calls.
///
/// Closed, it lets everything through and counts failures in a row. Open, it lets nothing through for a while. Then
/// it is half open: one request goes through as a probe. If that succeeds it closes, if not it opens for longer.
#[derive(Debug)]
pub struct Breaker {
    rules: Rules,
    state: State,
    /// Grows with each change: what requests of earlier states came to is of no interest any more.
    epoch: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Closed { failures: u32 },
    Open { until: Duration, openings: u32 },
    Probing { openings: u32 },
}

/// What it does at the moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Lets everything through.
    Closed,
    /// Waits for its probe.
    HalfOpen,
    /// Lets nothing through, or nothing but a probe.
    Open,
}

/// A request that was let through. What came of it is told with it.
#[derive(Clone, Copy, Debug)]
pub struct Ticket(u64);

impl Breaker {
    /// Closed.
    pub fn new(rules: Rules) -> Self {
        Self { rules, state: State::Closed { failures: 0 }, epoch: 0 }
    }

    /// What it does.
    pub fn phase(&self) -> Phase {
        match self.state {
            State::Closed { .. } => Phase::Closed,
            State::Open { .. } => Phase::Open,
            State::Probing { .. } => Phase::HalfOpen,
        }
    }

    /// Lets a request through.
    ///
    /// # Errors
    /// How long to wait when it is open, or waits for its probe.
    pub fn admit(&mut self, now: Duration) -> Result<Ticket, Duration> {
        match self.state {
            State::Closed { .. } => {}
            State::Open { until, .. } if now < until => return Err(until.saturating_sub(now)),
            State::Open { openings, .. } => self.turn(State::Probing { openings }),
            State::Probing { .. } => return Err(self.rules.pause),
        }
        Ok(Ticket(self.epoch))
    }

    /// The module answered.
    pub fn succeeded(&mut self, ticket: Ticket) {
        if self.is_of_now(ticket) {
            match self.state {
                State::Closed { .. } => self.state = State::Closed { failures: 0 },
                State::Probing { .. } => self.turn(State::Closed { failures: 0 }),
                State::Open { .. } => {}
            }
        }
    }

    /// It did not. `chance` is from 0 up to 1: half of the pause is left to it, so that replicas do not all
    /// come back at once.
    pub fn failed(&mut self, ticket: Ticket, now: Duration, chance: f64) {
        if !self.is_of_now(ticket) {
            return;
        }
        let openings = match self.state {
            State::Closed { failures } if failures + 1 < self.rules.failures => {
                self.state = State::Closed { failures: failures + 1 };
                return;
            }
            State::Closed { .. } => 1,
            State::Probing { openings } => openings.saturating_add(1),
            State::Open { .. } => return,
        };
        let pause = self.rules.pause.saturating_mul(2_u32.saturating_pow(openings - 1));
        let pause = pause.min(self.rules.longest).mul_f64(0.5 + 0.5 * chance.clamp(0.0, 1.0));
        self.turn(State::Open { until: now + pause, openings });
    }

    /// Nobody will know what came of it. If it was the probe, the next request is one.
    pub fn abandoned(&mut self, ticket: Ticket) {
        if let State::Probing { openings } = self.state
            && self.is_of_now(ticket)
        {
            self.turn(State::Open { until: Duration::ZERO, openings });
        }
    }

    fn is_of_now(&self, Ticket(epoch): Ticket) -> bool {
        epoch == self.epoch
    }

    fn turn(&mut self, state: State) {
        self.state = state;
        self.epoch += 1;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const RULES: Rules =
        Rules { failures: 3, pause: Duration::from_secs(1), longest: Duration::from_secs(30) };

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn fail(breaker: &mut Breaker, now: Duration, times: u32) {
        for _ in 0..times {
            let ticket = breaker.admit(now).unwrap();
            breaker.failed(ticket, now, 1.0);
        }
    }

    #[test]
    fn it_opens_after_failures_in_a_row_and_only_then() {
        let mut breaker = Breaker::new(RULES);
        fail(&mut breaker, at(0), 2);
        let ticket = breaker.admit(at(0)).unwrap();
        breaker.succeeded(ticket);
        fail(&mut breaker, at(0), 2);
        assert_eq!(breaker.phase(), Phase::Closed);
        fail(&mut breaker, at(5), 1);
        assert_eq!(breaker.phase(), Phase::Open);
        assert_eq!(breaker.admit(at(5)).unwrap_err(), at(1));
    }

    #[test]
    fn one_probe_decides_and_each_pause_is_longer() {
        let mut breaker = Breaker::new(RULES);
        fail(&mut breaker, at(0), 3);
        let mut now = at(0);
        for pause in [1, 2, 4, 8, 16, 30, 30] {
            assert_eq!(breaker.admit(now).unwrap_err(), at(pause));
            now += at(pause);
            let probe = breaker.admit(now).unwrap();
            assert_eq!(breaker.phase(), Phase::HalfOpen);
            assert!(breaker.admit(now + at(100)).is_err(), "one at a time");
            breaker.failed(probe, now, 1.0);
        }
        now += at(30);
        let probe = breaker.admit(now).unwrap();
        breaker.succeeded(probe);
        fail(&mut breaker, now, 3);
        assert_eq!(breaker.admit(now).unwrap_err(), at(1), "it begins anew");
    }

    #[test]
    fn what_is_late_says_nothing() {
        let mut breaker = Breaker::new(RULES);
        let late = breaker.admit(at(0)).unwrap();
        fail(&mut breaker, at(0), 3);
        breaker.succeeded(late);
        breaker.failed(late, at(0), 1.0);
        assert_eq!(breaker.admit(at(0)).unwrap_err(), at(1));
        let probe = breaker.admit(at(1)).unwrap();
        breaker.succeeded(late);
        breaker.abandoned(late);
        assert_eq!(breaker.phase(), Phase::HalfOpen);
        breaker.abandoned(probe);
        let probe = breaker.admit(at(1)).unwrap();
        breaker.succeeded(probe);
        assert_eq!(breaker.phase(), Phase::Closed);
    }

    /// What may happen.
    #[derive(Clone, Debug)]
    enum Step {
        Wait(u64),
        Ask,
        /// A request that is under way, by its place, comes to this.
        Tell(usize, Outcome),
    }

    #[derive(Clone, Copy, Debug)]
    enum Outcome {
        Success,
        Failure,
        Unknown,
    }

    fn step() -> impl Strategy<Value = Step> {
        let outcome = prop_oneof![
            1 => Just(Outcome::Success),
            3 => Just(Outcome::Failure),
            1 => Just(Outcome::Unknown),
        ];
        prop_oneof![
            1 => (0_u64..20_000).prop_map(Step::Wait),
            3 => Just(Step::Ask),
            3 => (0_usize..8, outcome).prop_map(|(place, outcome)| Step::Tell(place, outcome)),
        ]
    }

    proptest! {
        #[test]
        fn whatever_happens(steps in prop::collection::vec(step(), 0..200), chance in 0.0..1.0) {
            let mut breaker = Breaker::new(RULES);
            let mut now = Duration::ZERO;
            let mut under_way: Vec<Ticket> = Vec::new();
            let mut in_a_row = 0;
            for step in steps {
                let before = breaker.phase();
                match step {
                    Step::Wait(millis) => now += Duration::from_millis(millis),
                    Step::Ask => match breaker.admit(now) {
                        Ok(ticket) => under_way.push(ticket),
                        Err(pause) => {
                            prop_assert!(before != Phase::Closed, "closed, it refuses nobody");
                            prop_assert!(pause <= RULES.longest);
                        }
                    },
                    Step::Tell(place, outcome) if place < under_way.len() => {
                        let ticket = under_way.remove(place);
                        // What belongs to an earlier state is not counted.
                        in_a_row = match outcome {
                            _ if !breaker.is_of_now(ticket) => in_a_row,
                            Outcome::Success => 0,
                            Outcome::Failure => in_a_row + 1,
                            Outcome::Unknown => in_a_row,
                        };
                        match outcome {
                            Outcome::Success => breaker.succeeded(ticket),
                            Outcome::Failure => breaker.failed(ticket, now, chance),
                            Outcome::Unknown => breaker.abandoned(ticket),
                        }
                    }
                    Step::Tell(..) => {}
                }
                let opened = before == Phase::Closed && breaker.phase() == Phase::Open;
                prop_assert!(!opened || in_a_row >= RULES.failures, "opened after {in_a_row} failures");
                let probes = under_way.iter().filter(|ticket| breaker.is_of_now(**ticket)).count();
                match breaker.phase() {
                    Phase::Closed => {}
                    Phase::HalfOpen => prop_assert_eq!(probes, 1),
                    Phase::Open => prop_assert_eq!(probes, 0),
                }
            }
            // It never stays open for ever.
            if breaker.phase() == Phase::Open {
                prop_assert!(breaker.admit(now + RULES.longest).is_ok());
            }
        }
    }
}
