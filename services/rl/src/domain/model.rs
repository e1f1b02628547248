//! What a policy has learned, and how it sees an action in a situation.

use aws_lc_rs::digest::{SHA256, digest};
use bhiv_bandit::scale::Seen;
use bhiv_bandit::{Learner, Prediction, Scaler, Vector};

use super::features::Feature;
use super::prior::Prior;
use super::settings::Form;
use super::terms::{Term, coordinate, hash, terms};

/// The name of the one block of a shared model.
const SHARED: &str = "";

/// What was seen of an action in a situation, to be learned from when its outcome is known.
#[derive(Clone, Debug, PartialEq)]
pub struct Example {
    /// The model that it belongs to: that of all actions, or of this one.
    pub block: String,
    /// Places, ascending, and values: as they are learned, or, where features are brought to one scale, as they were
    /// before that.
    pub row: Vec<(usize, f64)>,
    /// What the prior predicted.
    pub prior: f64,
}

/// An example, and how it turned out.
pub type Told = (Example, f64);

/// What a policy has learned: a function of what it was told in which turn.
#[derive(Clone, Debug)]
pub struct Model {
    form: Form,
    learner: Learner,
    scaler: Scaler,
}

/// Statistics that cannot be gone on from.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("the statistics cannot be read")]
pub struct Malformed;

impl Model {
    /// Knows nothing.
    pub fn new(form: Form, dimension: usize, lambda: f64) -> Self {
        Self { form, learner: Learner::new(dimension, lambda), scaler: Scaler::default() }
    }

    /// How many outcomes it was told.
    pub fn examples(&self) -> i64 {
        self.learner.examples()
    }

    /// What it sees of an action, of which these are the features, in a situation.
    pub fn example(
        &self,
        action: &str,
        situation: &[Feature],
        features: &[Feature],
        prior: &Prior,
    ) -> Example {
        let all = terms(situation, features);
        let prior = all.iter().map(|term| prior.weight(term) * term.value).sum();
        let dimension = self.learner.size();
        match self.form {
            Form::Shared => {
                let vector =
                    Vector::new(all.iter().map(|term| (coordinate(term.hash, dimension), term.value)));
                Example { block: SHARED.to_owned(), row: vector.iter().collect(), prior }
            }
            Form::PerAction => {
                // Which action it is, every example of its block has.
                let own = features.iter().filter(|feature| !feature.name.starts_with("action="));
                let mut row: Vec<(usize, f64)> =
                    situation.iter().chain(own).map(|feature| (self.place(feature), feature.value)).collect();
                row.sort_by_key(|(place, _)| *place);
                row.dedup_by(|next, one| {
                    let meets = next.0 == one.0;
                    if meets {
                        one.1 += next.1;
                    }
                    meets
                });
                Example { block: action.to_owned(), row, prior }
            }
        }
    }

    /// What is expected of an example beyond the prior, and how well that is known.
    pub fn predict(&self, example: &Example) -> Prediction {
        self.learner.predict(&example.block, &self.vector(example))
    }

    /// What each term of an action adds to what is expected of it: of a shared model, or of this action's own.
    pub fn contributions<'a>(
        &self,
        example: &Example,
        situation: &'a [Feature],
        features: &'a [Feature],
    ) -> Vec<(Term<'a>, f64)> {
        let weights = self.learner.weights(&example.block);
        let weight = |place: usize| weights.get(place).copied().unwrap_or(0.0);
        let all = terms(situation, features);
        if self.form == Form::Shared {
            let dimension = self.learner.size();
            let adds = |term: &Term<'_>| weight(coordinate(term.hash, dimension)) * term.value;
            return all.into_iter().map(|term| (term, adds(&term))).collect();
        }
        let vector = self.vector(example);
        let scaled =
            |place: usize| vector.iter().find(|(other, _)| *other == place).map_or(0.0, |(_, value)| value);
        let given =
            |place: usize| example.row.iter().find(|(other, _)| *other == place).map_or(0.0, |(_, v)| *v);
        all.into_iter()
            .map(|term| {
                let adds = match (term.situation, term.action) {
                    (None, None) => weight(bhiv_bandit::scale::CONSTANT),
                    // Features that meet at a place share what it adds, by how much of it each is.
                    (Some(feature), None) | (None, Some(feature)) => {
                        let place = self.place(feature);
                        let whole = given(place);
                        let part = if whole == 0.0 { 0.0 } else { feature.value / whole };
                        weight(place) * scaled(place) * part
                    }
                    // What a fact means for this action is in the action's own model: told once, with the action.
                    (Some(feature), Some(action)) if action.name.starts_with("action=") => {
                        let place = self.place(feature);
                        let whole = given(place);
                        let part = if whole == 0.0 { 0.0 } else { feature.value / whole };
                        weight(place) * scaled(place) * part
                    }
                    (Some(_), Some(_)) => 0.0,
                };
                (term, adds)
            })
            .collect()
    }

    /// Learns from outcomes that came together: scales first, then all of them on that scale.
    pub fn learn(&mut self, together: &[Told]) {
        if self.form == Form::PerAction {
            for (example, _) in together {
                self.scaler.observe(&example.row);
            }
        }
        for (example, reward) in together {
            self.learner.learn(&example.block, &self.vector(example), reward - example.prior);
        }
    }

    /// Computes predictions anew from the statistics: from here on it predicts as every model does that knows the same,
    /// bit for bit.
    pub fn settle(&mut self) {
        self.learner.settle();
    }

    /// Forgets an outcome that it was told; answers false if only being told anew without it leaves nothing of it, as
    /// what came after was seen on its scale.
    pub fn forget(&mut self, (example, reward): &Told) -> bool {
        if self.form == Form::PerAction {
            return false;
        }
        self.learner.forget(&example.block, &self.vector(example), reward - example.prior);
        true
    }

    /// Everything that it knows, to be kept and hashed. Of a shared model that is [`Learner::statistics`]; of others it
    /// has the scale before it: rows (8 bytes), features (8), and for each its rows (8), sum (16), sum of squares (16),
    /// all little-endian.
    pub fn statistics(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        if self.form == Form::PerAction {
            let seen = self.scaler.seen();
            bytes.extend(self.scaler.rows().to_le_bytes());
            bytes.extend(u64::try_from(seen.len()).unwrap_or(u64::MAX).to_le_bytes());
            for Seen { rows, sum, squares } in seen {
                bytes.extend(rows.to_le_bytes());
                bytes.extend(sum.to_le_bytes());
                bytes.extend(squares.to_le_bytes());
            }
        }
        bytes.extend(self.learner.statistics());
        bytes
    }

    /// SHA-256 of its statistics, in hexadecimal digits: the same for models that know the same.
    pub fn hash(&self) -> String {
        let digest = digest(&SHA256, &self.statistics());
        digest.as_ref().iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
    }

    /// Goes on from what [`Model::statistics`] gave.
    ///
    /// # Errors
    /// When that is not of such a model.
    pub fn restore(form: Form, dimension: usize, lambda: f64, statistics: &[u8]) -> Result<Self, Malformed> {
        let mut rest = statistics;
        let scaler = match form {
            Form::Shared => Scaler::default(),
            Form::PerAction => {
                let rows = i64::from_le_bytes(take(&mut rest)?);
                let count = u64::from_le_bytes(take(&mut rest)?);
                let mut seen = Vec::new();
                for _ in 0..count {
                    seen.push(Seen {
                        rows: i64::from_le_bytes(take(&mut rest)?),
                        sum: i128::from_le_bytes(take(&mut rest)?),
                        squares: i128::from_le_bytes(take(&mut rest)?),
                    });
                }
                Scaler::restore(rows, seen)
            }
        };
        let learner = Learner::restore(dimension, lambda, rest).map_err(|_| Malformed)?;
        Ok(Self { form, learner, scaler })
    }

    fn vector(&self, example: &Example) -> Vector {
        match self.form {
            Form::Shared => Vector::new(example.row.iter().copied()),
            Form::PerAction => self.scaler.scale(&example.row),
        }
    }

    /// The place of a feature, below the constant's.
    fn place(&self, feature: &Feature) -> usize {
        1 + coordinate(hash(&feature.name), self.learner.size().saturating_sub(1).max(1))
    }
}

fn take<const N: usize>(rest: &mut &[u8]) -> Result<[u8; N], Malformed> {
    let (taken, after) = rest.split_first_chunk().ok_or(Malformed)?;
    *rest = after;
    Ok(*taken)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SIZE: usize = 8;

    fn told(form: Form, batches: &[Vec<Told>]) -> Model {
        let mut model = Model::new(form, SIZE, 1.0);
        for batch in batches {
            model.learn(batch);
        }
        model
    }

    fn batches(form: Form) -> impl Strategy<Value = Vec<Vec<Told>>> {
        let block = match form {
            Form::Shared => Just(String::new()).boxed(),
            Form::PerAction => prop_oneof![Just("a".to_owned()), Just("b".to_owned())].boxed(),
        };
        let row = proptest::collection::btree_map(1..SIZE, -2.0..2.0_f64, 0..SIZE)
            .prop_map(|row| row.into_iter().collect::<Vec<_>>());
        let example =
            (block, row, 0.0..1.0_f64).prop_map(|(block, row, prior)| Example { block, row, prior });
        let batch = proptest::collection::vec((example, 0.0..1.0_f64), 1..6);
        proptest::collection::vec(batch, 0..6)
    }

    fn any_form() -> impl Strategy<Value = (Form, Vec<Vec<Told>>)> {
        prop_oneof![Just(Form::Shared), Just(Form::PerAction)]
            .prop_flat_map(|form| batches(form).prop_map(move |batches| (form, batches)))
    }

    proptest! {
        #[test]
        fn what_is_kept_is_gone_on_from((form, batches) in any_form()) {
            let model = told(form, &batches);
            let bytes = model.statistics();
            let restored = Model::restore(form, SIZE, 1.0, &bytes).unwrap();
            prop_assert_eq!(restored.statistics(), bytes);
            let mut settled = model.clone();
            settled.settle();
            for (example, _) in batches.iter().flatten() {
                prop_assert_eq!(restored.predict(example), settled.predict(example));
            }
        }

        /// The same bytes, whichever way: taken out, or never told.
        #[test]
        fn what_a_shared_model_forgets_it_was_never_told(batches in batches(Form::Shared), odd in any::<bool>()) {
            let kept = |place: usize| (place % 2 == 1) == odd;
            let all: Vec<Told> = batches.concat();
            let mut model = told(Form::Shared, &batches);
            for (place, example) in all.iter().enumerate() {
                if !kept(place) {
                    prop_assert!(model.forget(example));
                }
            }
            let rest: Vec<Told> =
                all.iter().enumerate().filter(|(place, _)| kept(*place)).map(|(_, told)| told.clone()).collect();
            prop_assert_eq!(model.statistics(), told(Form::Shared, &[rest]).statistics());
        }
    }

    #[test]
    fn statistics_that_are_cut_are_not_gone_on_from() {
        let example = Example { block: "a".to_owned(), row: vec![(1, 0.5)], prior: 0.0 };
        let mut bytes = told(Form::PerAction, &[vec![(example, 1.0)]]).statistics();
        bytes.pop();
        assert_eq!(Model::restore(Form::PerAction, SIZE, 1.0, &bytes).unwrap_err(), Malformed);
        assert_eq!(Model::restore(Form::PerAction, SIZE, 1.0, &[1, 2]).unwrap_err(), Malformed);
    }
}
