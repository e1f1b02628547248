//! What this process knows of a module's health: whether it is left alone, and how often it may be asked again.

use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use bhiv_clock::Clock;
use bhiv_telemetry::metrics::{BoundCounter, Counter, Gauge, KeyValue, counter, gauge};
use tracing::{info, warn};

use crate::config::ForwardSettings;
use crate::domain::breaker::{Breaker, Phase, Rules, Ticket};
use crate::domain::retry::Budget;

/// A module is left alone for at most this long at a time.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// The circuit breaker and the retry budget of one module, for all workers of the process.
pub struct Circuit {
    module: &'static str,
    state: Mutex<State>,
    clock: Clock,
    began: Instant,
    phase: Gauge<f64>,
    attempts: Counter<u64>,
    /// Those of `attempts` that were answered, as nearly all are.
    answered: BoundCounter<u64>,
    retries: Counter<u64>,
}

struct State {
    breaker: Breaker,
    budget: Budget,
}

impl fmt::Debug for Circuit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Circuit of {}", self.module)
    }
}

/// A request that may go to the module. Dropped before its outcome is known, it says nothing about the module.
#[derive(Debug)]
pub struct Pass<'a> {
    circuit: &'a Circuit,
    ticket: Option<Ticket>,
}

impl Circuit {
    /// Closed: the module is expected to answer.
    pub fn new(module: &'static str, settings: &ForwardSettings, clock: Clock) -> Self {
        let rules = Rules {
            failures: settings.breaker_failures.max(1),
            pause: Duration::from_millis(settings.breaker_pause_ms),
            longest: LONGEST_PAUSE.max(Duration::from_millis(settings.breaker_pause_ms)),
        };
        let phase = gauge(
            "gateway_module_breaker",
            "Whether a module is left alone: 0 closed, 1 half open (one probe is under way), 2 open.",
        );
        let attempts =
            counter("gateway_module_attempts", "Requests to a module, each retry too, by what came of them.");
        let answered =
            attempts.bind(&[KeyValue::new("module", module), KeyValue::new("outcome", "answered")]);
        let circuit = Self {
            module,
            state: Mutex::new(State { breaker: Breaker::new(rules), budget: Budget::default() }),
            clock,
            began: Instant::now(),
            phase,
            attempts,
            answered,
            retries: counter(
                "gateway_module_retries",
                "Retries that were due, by whether the budget had any.",
            ),
        };
        circuit.show(Phase::Closed);
        circuit
    }

    /// Takes note that a client wants something of the module.
    pub fn asked(&self) {
        self.locked(|state, _| state.budget.asked());
    }

    /// Lets a request through.
    ///
    /// # Errors
    /// How long the module is left alone.
    pub fn enter(&self) -> Result<Pass<'_>, Duration> {
        let ticket = self.locked(|state, now| state.breaker.admit(now));
        if ticket.is_err() {
            self.count("left_alone");
        }
        ticket.map(|ticket| Pass { circuit: self, ticket: Some(ticket) })
    }

    /// Whether the module may be asked again now; if so, that is paid for.
    pub fn may_retry(&self) -> bool {
        let may = self.locked(|state, now| state.budget.spend(now));
        let outcome = if may { "sent" } else { "no_budget" };
        self.retries.add(1, &[self.label(), KeyValue::new("outcome", outcome)]);
        may
    }

    fn locked<T>(&self, act: impl FnOnce(&mut State, Duration) -> T) -> T {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let before = state.breaker.phase();
        let outcome = act(&mut state, self.began.elapsed());
        let after = state.breaker.phase();
        // Still locked, so that changes are shown in their order.
        if before != after {
            self.show(after);
            match after {
                Phase::Closed => info!(module = self.module, "a module answers again"),
                Phase::HalfOpen => info!(module = self.module, "a module is tried again"),
                Phase::Open => warn!(module = self.module, "a module is left alone"),
            }
        }
        outcome
    }

    fn show(&self, phase: Phase) {
        let value = match phase {
            Phase::Closed => 0.0,
            Phase::HalfOpen => 1.0,
            Phase::Open => 2.0,
        };
        self.phase.record(value, &[self.label()]);
    }

    fn count(&self, outcome: &'static str) {
        self.attempts.add(1, &[self.label(), KeyValue::new("outcome", outcome)]);
    }

    fn label(&self) -> KeyValue {
        KeyValue::new("module", self.module)
    }
}

impl Pass<'_> {
    /// The module answered.
    pub fn succeeded(mut self) {
        self.circuit.answered.add(1);
        if let Some(ticket) = self.ticket.take() {
            self.circuit.locked(|state, _| state.breaker.succeeded(ticket));
        }
    }

    /// It did not, for a reason that is its own.
    pub fn failed(mut self) {
        self.circuit.count("failed");
        let chance = self.circuit.clock.chance();
        if let Some(ticket) = self.ticket.take() {
            self.circuit.locked(|state, now| state.breaker.failed(ticket, now, chance));
        }
    }
}

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket.take() {
            self.circuit.count("given_up");
            self.circuit.locked(|state, _| state.breaker.abandoned(ticket));
        }
    }
}
