//! Features: what a fact is to a learner.
//!
//! | fact | name | value |
//! |---|---|---|
//! | a number | `total` | the number, squashed |
//! | a text | `source=referral` | 1 |
//! | a flag | `has_phone=true`, `has_phone=false` | 1 |
//! | an array of texts | `tags=fragile`, `tags=cold` | 1 each |
//! | a text that is a UUID | none: it says which one it is, and nothing of what it is like | |
//!
//! A number x becomes `sign(x) * L / (1 + L)` with `L = ln(1 + |x|)`: it stays between -1 and 1, keeps its
//! order, and 100, 10 000 and 1 000 000 are still told apart (0.82, 0.90, 0.93).

use uuid::Uuid;

use super::facts::{Fact, Facts};

/// A named number from -1 to 1.
#[derive(Clone, Debug, PartialEq)]
pub struct Feature {
    /// Its name, as in the table above.
    pub name: String,
    /// How much of it there is.
    pub value: f64,
}

impl Feature {
    /// A feature that is there.
    pub fn present(name: impl Into<String>) -> Self {
        Self { name: name.into(), value: 1.0 }
    }
}

/// The features of `facts`, each name preceded by `prefix`.
pub fn features(facts: &Facts, prefix: &str) -> Vec<Feature> {
    facts.iter().flat_map(|(name, fact)| of_fact(&format!("{prefix}{name}"), fact)).collect()
}

fn of_fact(name: &str, fact: &Fact) -> Vec<Feature> {
    match fact {
        Fact::Flag(flag) => vec![Feature::present(format!("{name}={flag}"))],
        Fact::Number(number) => {
            let value = squash(number.as_f64().unwrap_or(0.0));
            vec![Feature { name: name.to_owned(), value }]
        }
        Fact::Text(text) => of_text(name, text).into_iter().collect(),
        Fact::Texts(texts) => {
            let mut texts: Vec<_> = texts.iter().collect();
            texts.sort_unstable();
            texts.dedup();
            texts.into_iter().filter_map(|text| of_text(name, text)).collect()
        }
    }
}

fn of_text(name: &str, text: &str) -> Option<Feature> {
    let says_which_one = Uuid::try_parse(text).is_ok();
    (!says_which_one).then(|| Feature::present(format!("{name}={text}")))
}

fn squash(number: f64) -> f64 {
    let logarithm = number.abs().ln_1p();
    (logarithm / (1.0 + logarithm)).copysign(number)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_fact_has_the_features_that_the_table_says() {
        let tags = ["b", "a", "b"].map(str::to_owned).to_vec();
        let facts = Facts::default()
            .with("has_phone", Fact::from(true))
            .with("source", Fact::from("referral"))
            .with("tags", Fact::Texts(tags))
            .with("order_id", Fact::from("0190aaaa-0000-7000-8000-000000000001"))
            .with("total", Fact::number(0.0));
        let found: Vec<_> =
            features(&facts, "action.").into_iter().map(|feature| (feature.name, feature.value)).collect();
        let expected = [
            ("action.has_phone=true", 1.0),
            ("action.source=referral", 1.0),
            ("action.tags=a", 1.0),
            ("action.tags=b", 1.0),
            ("action.total", 0.0),
        ];
        assert_eq!(found, expected.map(|(name, value)| (name.to_owned(), value)));
    }

    #[test]
    fn squashed_numbers_are_those_of_the_documentation() {
        for (number, squashed) in [(100.0, 0.82), (10_000.0, 0.90), (1e6, 0.93), (-100.0, -0.82), (1.0, 0.41)]
        {
            assert!((squash(number) - squashed).abs() < 0.005, "{number}: {}", squash(number));
        }
    }

    proptest! {
        #[test]
        fn no_feature_leaves_its_bounds(number in any::<f64>().prop_filter("finite", |x| x.is_finite())) {
            let facts = Facts::default().with("total", Fact::number(number));
            for feature in features(&facts, "") {
                prop_assert!((-1.0..=1.0).contains(&feature.value));
            }
        }

        #[test]
        fn a_larger_number_is_no_smaller_feature(one in -1e12..1e12_f64, other in -1e12..1e12_f64) {
            prop_assert!(squash(one.min(other)) <= squash(one.max(other)));
        }
    }
}
