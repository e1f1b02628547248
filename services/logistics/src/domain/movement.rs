use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Why stock changed.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, strum::Display, strum::EnumString,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum MovementKind {
    /// It was there when the product was first kept at the location.
    Opening,
    /// Somebody noted that it came or went.
    Adjustment,
    /// It was promised to an order.
    Reservation,
    /// It is promised to an order no more.
    Release,
    /// It left with an order.
    Shipment,
    /// It came back from an order.
    Return,
    /// It was brought to or from another location.
    Transfer,
    /// It came from a supplier.
    Receipt,
}

/// A line of an order that wants stock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Its number.
    pub line: i32,
    /// What.
    pub sku: String,
    /// How many.
    pub quantity: i32,
}

/// Stock that can be promised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shelf<K> {
    /// Which stock.
    pub key: K,
    /// Of what.
    pub sku: String,
    /// How many can be promised.
    pub available: i64,
}

/// So many of a line are promised from that stock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Promise<K> {
    pub line: i32,
    pub key: K,
    pub quantity: i32,
}

/// What can be promised to the lines of an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allocation<K> {
    /// From where.
    pub promises: Vec<Promise<K>>,
    /// Lines for which there is not enough, and how many are missing.
    pub missing: BTreeMap<i32, i32>,
}

/// Promises what is there, from the fullest shelf first, so that few shelves serve a line. What is kept nowhere is
/// not counted: services and what is made to order are neither promised nor missing.
pub fn allocate<K: Clone>(wanted: &[Wanted], shelves: &[Shelf<K>]) -> Allocation<K> {
    let mut shelves: Vec<_> = shelves.to_vec();
    shelves.sort_by_key(|shelf| std::cmp::Reverse(shelf.available));
    let mut allocation = Allocation { promises: Vec::new(), missing: BTreeMap::new() };
    for Wanted { line, sku, quantity } in wanted {
        let mut open = *quantity;
        let mut is_kept = false;
        for shelf in shelves.iter_mut().filter(|shelf| shelf.sku == *sku) {
            is_kept = true;
            let taken = i32::try_from(shelf.available.clamp(0, open.into())).unwrap_or(0);
            if taken > 0 {
                shelf.available -= i64::from(taken);
                open -= taken;
                allocation.promises.push(Promise { line: *line, key: shelf.key.clone(), quantity: taken });
            }
        }
        if is_kept && open > 0 {
            allocation.missing.insert(*line, open);
        }
    }
    allocation
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(line: i32, sku: &str, quantity: i32) -> Wanted {
        Wanted { line, sku: sku.to_owned(), quantity }
    }

    fn shelf(key: char, sku: &str, available: i64) -> Shelf<char> {
        Shelf { key, sku: sku.to_owned(), available }
    }

    #[test]
    fn the_fullest_shelf_serves_first_and_nothing_is_promised_twice() {
        let shelves = [shelf('a', "A", 3), shelf('b', "A", 5), shelf('c', "B", 1)];
        let found = allocate(&[wanted(1, "A", 6), wanted(2, "A", 3), wanted(3, "B", 1)], &shelves);
        let promised: Vec<_> = found.promises.iter().map(|it| (it.line, it.key, it.quantity)).collect();
        assert_eq!(promised, [(1, 'b', 5), (1, 'a', 1), (2, 'a', 2), (3, 'c', 1)]);
        assert_eq!(found.missing, BTreeMap::from([(2, 1)]));
    }

    #[test]
    fn what_is_kept_nowhere_is_not_missing() {
        let found = allocate(&[wanted(1, "advice", 3), wanted(2, "B", 1)], &[shelf('c', "B", 0)]);
        assert_eq!((found.promises.len(), found.missing), (0, BTreeMap::from([(2, 1)])));
    }
}
