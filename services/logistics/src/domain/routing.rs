//! What is known when routes are looked for, and what is found. Distances are in metres, times in seconds since the
//! day began.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::location::Location;

/// A place that is visited once.
#[derive(Clone, Debug, PartialEq)]
pub struct Stop {
    /// How much of a capacity it takes.
    pub load: i32,
    /// Not before, not after.
    pub window: (f64, f64),
    /// How long it takes there.
    pub service: f64,
}

/// Somebody who visits. They begin and end at the depot.
#[derive(Clone, Debug, PartialEq)]
pub struct Vehicle {
    /// How much they can load.
    pub capacity: i32,
    /// When they leave, and when they are back at the latest.
    pub shift: (f64, f64),
    /// What a metre costs.
    pub per_metre: f64,
    /// What a second costs.
    pub per_second: f64,
}

/// A problem of vehicle routing with capacities and time windows.
#[derive(Clone, Debug, PartialEq)]
pub struct Problem {
    /// The places to visit.
    pub stops: Vec<Stop>,
    /// Who visits them.
    pub vehicles: Vec<Vehicle>,
    /// From each place to each, row by row; the depot is first, then come the stops.
    pub distances: Vec<f64>,
    /// The same, in seconds.
    pub durations: Vec<f64>,
    /// Whether few tours are better than cheap ones.
    pub fewest_tours: bool,
}

/// Who visits what, and when.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Solution {
    /// The tours of those who leave at all.
    pub tours: Vec<Tour>,
    /// Stops that nobody visits, and why.
    pub unassigned: Vec<(usize, Reason)>,
}

/// What one vehicle does.
#[derive(Clone, Debug, PartialEq)]
pub struct Tour {
    /// Which vehicle.
    pub vehicle: usize,
    /// In this order.
    pub visits: Vec<Visit>,
    /// When it leaves the depot, and when it is back.
    pub between: (f64, f64),
    /// How far it goes.
    pub distance: f64,
}

/// A stop of a tour.
#[derive(Clone, Debug, PartialEq)]
pub struct Visit {
    /// Which stop.
    pub stop: usize,
    /// When the vehicle is there.
    pub arrival: f64,
    /// When it leaves.
    pub departure: f64,
}

/// Why nobody visits a stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// It is not known where on the map it is.
    NoLocation,
    /// It takes more than anybody can load.
    TooLarge,
    /// What is left of the couriers' capacity is not enough.
    Capacity,
    /// Nobody can be there in its window and back before their shift ends.
    Time,
    /// Nobody has both the capacity and the time.
    CapacityAndTime,
}

/// Mean radius of the Earth (IUGG), in metres.
const EARTH: f64 = 6_371_008.8;

/// The way between two places along a great circle, in metres: the haversine formula (R. W. Sinnott, Virtues of the
/// Haversine, Sky and Telescope 68, 1984).
pub fn great_circle(from: Location, to: Location) -> f64 {
    let half = |from: f64, to: f64| ((to - from).to_radians() / 2.0).sin().powi(2);
    let across = from.lat.to_radians().cos() * to.lat.to_radians().cos() * half(from.lon, to.lon);
    2.0 * EARTH * (half(from.lat, to.lat) + across).min(1.0).sqrt().asin()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_great_circle_is_as_long_as_it_is_known_to_be() {
        let at = |lat, lon| Location { lat, lon };
        // A degree of a meridian, a quarter of the Earth, to the other side of it, and across the date line.
        let degree = EARTH.to_radians();
        assert!((great_circle(at(10.0, 20.0), at(11.0, 20.0)) - degree).abs() < 1e-3);
        assert!((great_circle(at(0.0, 0.0), at(90.0, 77.0)) - 90.0 * degree).abs() < 1e-3);
        assert!((great_circle(at(30.0, 40.0), at(-30.0, -140.0)) - 180.0 * degree).abs() < 1e-1);
        assert!((great_circle(at(0.0, 179.5), at(0.0, -179.5)) - degree).abs() < 1e-3);
        assert!(great_circle(at(26.9, 75.8), at(26.9, 75.8)).abs() < 1e-9);
    }
}
