//! What a learner sees: few numbers of a vector that may have many, each a whole number of 256ths.

/// What a value of 1 is in units.
pub const UNIT: f64 = 256.0;

/// No value is farther from 0. A standardised feature rarely is; one that is should not decide alone.
pub const LARGEST: f64 = 8.0;

/// A sparse vector: places in ascending order, and a value at each. Everywhere else it is 0.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Vector {
    places: Vec<usize>,
    units: Vec<i32>,
    values: Vec<f64>,
}

impl Vector {
    /// Of places and values, in whatever order. Values at one place add up; each is rounded to a unit and kept within
    /// [`LARGEST`]. What is no number is 0.
    pub fn new(entries: impl IntoIterator<Item = (usize, f64)>) -> Self {
        let mut entries: Vec<_> = entries.into_iter().collect();
        entries.sort_by_key(|(place, _)| *place);
        entries.dedup_by(|next, one| {
            let meets = next.0 == one.0;
            if meets {
                one.1 += next.1;
            }
            meets
        });
        Self::sorted(entries.into_iter())
    }

    /// Of places that ascend.
    pub(crate) fn sorted(entries: impl Iterator<Item = (usize, f64)>) -> Self {
        let most = entries.size_hint().0;
        let mut vector = Self {
            places: Vec::with_capacity(most),
            units: Vec::with_capacity(most),
            values: Vec::with_capacity(most),
        };
        for (place, value) in entries {
            vector.push(place, units(value));
        }
        vector
    }

    /// Of what [`Vector::units`] gave. Places have to ascend; `None` if they do not.
    pub fn from_units(entries: impl IntoIterator<Item = (usize, i32)>) -> Option<Self> {
        let mut vector = Self::default();
        for (place, units) in entries {
            if vector.places.last().is_some_and(|last| *last >= place) {
                return None;
            }
            vector.push(place, units);
        }
        Some(vector)
    }

    /// Places and values in units, to be kept.
    pub fn units(&self) -> impl Iterator<Item = (usize, i32)> {
        self.places.iter().copied().zip(self.units.iter().copied())
    }

    /// Places and values.
    pub fn iter(&self) -> impl Iterator<Item = (usize, f64)> {
        self.places.iter().copied().zip(self.values.iter().copied())
    }

    /// The first place beyond all of its own.
    pub fn end(&self) -> usize {
        self.places.last().map_or(0, |last| last + 1)
    }

    /// The values, if its places are the first of `size` ones without a gap.
    pub(crate) fn dense(&self, size: usize) -> Option<&[f64]> {
        (self.end() == self.places.len() && self.end() <= size).then_some(&self.values)
    }

    fn push(&mut self, place: usize, units: i32) {
        self.places.push(place);
        self.units.push(units);
        self.values.push(f64::from(units) / UNIT);
    }
}

#[expect(clippy::cast_possible_truncation, reason = "it is within bounds")]
fn units(value: f64) -> i32 {
    let value = if value.is_nan() { 0.0 } else { value };
    (value.clamp(-LARGEST, LARGEST) * UNIT).round() as i32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_at_one_place_add_up_and_are_whole_units() {
        let vector = Vector::new([(5, 1.0), (2, 0.5), (5, 0.25), (3, f64::NAN), (4, 1e9)]);
        assert_eq!(vector.units().collect::<Vec<_>>(), [(2, 128), (3, 0), (4, 2048), (5, 320)]);
        assert_eq!((vector.end(), vector.dense(9)), (6, None));
        assert_eq!(Vector::from_units(vector.units()), Some(vector));
        assert_eq!(Vector::from_units([(1, 1), (1, 2)]), None);
        let dense = Vector::new([(1, 0.25), (0, 1.0)]);
        assert_eq!((dense.dense(2), dense.dense(1)), (Some(&[1.0, 0.25][..]), None));
    }
}
