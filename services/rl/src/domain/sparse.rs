/// A vector of which few coordinates are not zero: their places, ascending, and their values.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sparse(Vec<(usize, f64)>);

impl Sparse {
    /// Every coordinate that is not zero.
    pub fn iter(&self) -> impl Iterator<Item = (usize, f64)> {
        self.0.iter().copied()
    }

    /// The dot product with a row of numbers.
    pub fn dot(&self, row: &[f64]) -> f64 {
        self.iter().filter_map(|(place, value)| row.get(place).map(|weight| weight * value)).sum()
    }
}

/// Values for the same coordinate add up.
impl FromIterator<(usize, f64)> for Sparse {
    fn from_iter<I: IntoIterator<Item = (usize, f64)>>(entries: I) -> Self {
        let mut entries: Vec<_> = entries.into_iter().collect();
        entries.sort_by_key(|(place, _)| *place);
        entries.dedup_by(|next, one| {
            let meets = next.0 == one.0;
            if meets {
                one.1 += next.1;
            }
            meets
        });
        entries.retain(|(_, value)| *value != 0.0);
        Self(entries)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_that_meet_add_up() {
        let vector: Sparse = [(5, 1.0), (2, 0.5), (5, 0.25), (3, 1.0), (3, -1.0)].into_iter().collect();
        assert_eq!(vector.iter().collect::<Vec<_>>(), [(2, 0.5), (5, 1.25)]);
        assert!((vector.dot(&[0.0, 0.0, 2.0, 9.0, 9.0, 4.0]) - 6.0).abs() < 1e-12);
    }
}
