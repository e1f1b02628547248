//! Terms: what an action in a situation is to a learner.
//!
//! The terms of an action are
//! - `bias`, which is always 1;
//! - each feature of the action: `action=approve`, and its own facts as `action.speed=fast`;
//! - each feature of the situation with each feature of the action: `total&action=approve`, their values
//!   multiplied, so that a learner can tell what a fact means for one action from what it means for
//!   another.
//!
//! A vector has a fixed number of coordinates, and a term its place among them by its name alone (the
//! hashing trick; Weinberger et al. 2009, "Feature hashing for large scale multitask learning"): coordinate
//! = mix(fnv1a(name)) modulo the dimension. Terms that meet at a coordinate add up there.
//!
//! - fnv1a is FNV-1a with 64 bits: beginning with 0xcbf29ce484222325, each byte of the name (UTF-8) is
//!   xored in and the state multiplied by 0x100000001b3.
//! - mix is the finaliser of MurmurHash3, fmix64: the lowest bits of FNV-1a know only the lowest bits of
//!   the text.
//!
//! What policies have learned is stored by coordinate: another hash would make nonsense of it.

use super::features::Feature;

const FNV_BASIS: u64 = 0xcbf2_9ce4_8422_2325;
const FNV_PRIME: u64 = 0x0000_0100_0000_01b3;

/// The 64-bit hash that a name of a term is known by.
pub fn hash(name: &str) -> u64 {
    fnv1a(FNV_BASIS, name)
}

fn fnv1a(state: u64, text: &str) -> u64 {
    text.bytes().fold(state, |state, byte| (state ^ u64::from(byte)).wrapping_mul(FNV_PRIME))
}

fn mix(mut hash: u64) -> u64 {
    hash = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash = (hash ^ (hash >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    hash ^ (hash >> 33)
}

/// The place of a term among `dimension` coordinates.
pub fn coordinate(hash: u64, dimension: usize) -> usize {
    let place = u64::try_from(dimension).ok().and_then(|dimension| mix(hash).checked_rem(dimension));
    place.and_then(|place| usize::try_from(place).ok()).unwrap_or(0)
}

/// One term: of what it consists, the hash of its name, its value.
#[derive(Clone, Copy, Debug)]
pub struct Term<'a> {
    /// The feature of the situation in it.
    pub situation: Option<&'a Feature>,
    /// The feature of the action in it.
    pub action: Option<&'a Feature>,
    /// The hash of its name.
    pub hash: u64,
    /// From -1 to 1.
    pub value: f64,
}

/// The terms of an action with the features `action` in a situation with the features `situation`.
pub fn terms<'a>(situation: &'a [Feature], action: &'a [Feature]) -> Vec<Term<'a>> {
    let bias = Term { situation: None, action: None, hash: hash("bias"), value: 1.0 };
    let own = action.iter().map(|action| Term {
        situation: None,
        action: Some(action),
        hash: hash(&action.name),
        value: action.value,
    });
    let crossed = situation.iter().flat_map(|situation| {
        let prefix = fnv1a(hash(&situation.name), "&");
        action.iter().map(move |action| Term {
            situation: Some(situation),
            action: Some(action),
            hash: fnv1a(prefix, &action.name),
            value: situation.value * action.value,
        })
    });
    std::iter::once(bias).chain(own).chain(crossed).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Those of Noll's reference code, `test_fnv.c`.
    #[test]
    fn the_hash_is_fnv_1a() {
        assert_eq!(hash(""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(hash("a"), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(hash("foobar"), 0x8594_4171_f739_67e8);
    }

    #[test]
    fn a_crossed_term_is_known_by_its_whole_name() {
        let situation = [Feature { name: "total".to_owned(), value: 0.5 }];
        let action =
            [Feature::present("action=approve"), Feature { name: "action.cost".to_owned(), value: -0.5 }];
        let found: Vec<_> = terms(&situation, &action).iter().map(|term| (term.hash, term.value)).collect();
        let expected = [
            ("bias", 1.0),
            ("action=approve", 1.0),
            ("action.cost", -0.5),
            ("total&action=approve", 0.5),
            ("total&action.cost", -0.25),
        ];
        assert_eq!(found, expected.map(|(name, value)| (hash(name), value)));
    }

    #[test]
    fn coordinates_stay_where_stored_models_have_them() {
        let dimension = 64;
        let names =
            ["bias", "action=approve", "action=hold", "total&action=approve", "budget&action=contact"];
        assert_eq!(names.map(|name| coordinate(hash(name), dimension)), [16, 9, 18, 33, 30]);
    }

    #[test]
    fn names_that_differ_in_one_letter_spread_over_all_coordinates() {
        let dimension = 64;
        let mut met = [0_u32; 64];
        for number in 0..6400 {
            met[coordinate(hash(&format!("customer_id={number}&action=approve")), dimension)] += 1;
        }
        // 100 each on average, with a standard deviation of 10.
        assert!(met.iter().all(|count| (50..150).contains(count)), "{met:?}");
    }
}
