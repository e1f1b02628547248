//! Among whom tasks are assigned.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Who gets a task, if nobody is named.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Assignment {
    /// One of these users.
    #[schema(min_items = 1, max_items = 100)]
    pub among: Vec<Assignee>,
    /// How they are chosen.
    pub by: Strategy,
}

/// A user's id.
pub type Assignee = String;

/// How somebody is chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Strategy {
    /// One after the other, in the order of the list.
    RoundRobin,
    /// Who has the fewest open tasks; among equals, whoever stands first.
    LeastLoaded,
}

/// Who comes after `last`; the first, when that is nobody of them.
pub fn in_turn<'a>(among: &'a [Assignee], last: Option<&str>) -> Option<&'a str> {
    let after = last.and_then(|last| among.iter().position(|one| one == last)).map_or(0, |at| at + 1);
    among.get(after).or_else(|| among.first()).map(String::as_str)
}

/// Who has the least to do. `loads` has those who have something.
pub fn least_loaded<'a>(among: &'a [Assignee], loads: &[(Assignee, i64)]) -> Option<&'a str> {
    let load = |one: &Assignee| loads.iter().find(|(who, _)| who == one).map_or(0, |(_, load)| *load);
    among.iter().min_by_key(|one| load(one)).map(String::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_has_their_turn() {
        let among = ["a", "b", "c"].map(str::to_owned);
        for (last, next) in
            [(None, "a"), (Some("a"), "b"), (Some("b"), "c"), (Some("c"), "a"), (Some("gone"), "a")]
        {
            assert_eq!(in_turn(&among, last), Some(next));
        }
        assert_eq!(in_turn(&[], Some("a")), None);
    }

    #[test]
    fn whoever_has_least_gets_more() {
        let among = ["a", "b", "c"].map(str::to_owned);
        let loads = [("a".to_owned(), 2), ("b".to_owned(), 1), ("c".to_owned(), 1)];
        assert_eq!(least_loaded(&among, &loads), Some("b"));
        assert_eq!(least_loaded(&among, &[]), Some("a"));
    }
}
