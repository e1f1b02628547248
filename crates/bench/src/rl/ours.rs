//! What the rl service does with a decision, without where it keeps it.

use std::time::Instant;

use bhiv_bandit::{Exploration, Learner, Scaler, draw};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

use super::number;
use super::sets::Set;

/// How many examples the belief is worth that a feature makes no difference.
const LAMBDA: f64 = 1.0;

/// The part of the rows whose class was not drawn.
pub fn loss(set: &Set, exploration: Exploration) -> f64 {
    let mut chance = StdRng::seed_from_u64(1);
    let mut scaler = Scaler::default();
    let mut learner = Learner::new(1 + set.features, LAMBDA);
    let names: Vec<_> = (0..set.actions).map(|action| format!("action={action}")).collect();
    let (mut wrong, mut examples) = (0, 0);
    for row in &set.rows {
        let features: Vec<_> = (1..).zip(row.features.iter().copied()).collect();
        scaler.observe(&features);
        let x = scaler.scale(&features);
        let predictions: Vec<_> = names.iter().map(|name| learner.predict(name, &x)).collect();
        let probabilities = exploration.probabilities(&predictions, examples);
        let Some(action) = draw(&probabilities, chance.random()) else { continue };
        let reward = if action == row.class { 1.0 } else { 0.0 };
        wrong += usize::from(action != row.class);
        if let Some(name) = names.get(action) {
            learner.learn(name, &x, reward);
        }
        examples += 1;
    }
    number(wrong) / number(set.rows.len())
}

/// Rows per second.
pub fn rate(set: &Set, exploration: Exploration) -> f64 {
    let begun = Instant::now();
    let _ = std::hint::black_box(loss(set, exploration));
    number(set.rows.len()) / begun.elapsed().as_secs_f64()
}
