//! Plans of routes: who brings which deliveries of a day, in which order.

use bhiv_types::State;
use chrono::{NaiveDate, NaiveTime, Timelike as _};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::ids::{CourierId, DeliveryId};
use super::location::Location;
use super::routing::{Problem, Reason, Solution, Stop, Vehicle, great_circle};
use super::window::Window;

/// How many deliveries one plan takes.
pub const MOST: usize = 1000;

const DAY: f64 = 86_400.0;

/// Where a plan stands.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, strum::Display, strum::EnumString,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum PlanStatus {
    /// Nobody has begun.
    Queued,
    /// Routes are looked for.
    Running,
    /// There are routes.
    Done,
    /// The deliveries have their couriers.
    Applied,
    /// No routes could be looked for.
    Failed,
    /// Nobody wants them any more.
    Cancelled,
}

impl State for PlanStatus {
    const TRANSITIONS: &'static [(Self, &'static [Self])] = &[
        (Self::Queued, &[Self::Running, Self::Cancelled]),
        (Self::Running, &[Self::Done, Self::Failed, Self::Cancelled]),
        (Self::Done, &[Self::Applied]),
        (Self::Applied, &[]),
        (Self::Failed, &[]),
        (Self::Cancelled, &[]),
    ];
}

/// What is planned, and how.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPlan {
    /// The day, not before today (UTC): its deliveries and older ones that have not left yet.
    pub day: NaiveDate,
    /// Where the couriers begin and end.
    pub depot: Location,
    /// Only these couriers; all that are active, unless it says otherwise.
    #[schema(min_items = 1, max_items = 200)]
    pub courier_ids: Option<Vec<CourierId>>,
    /// How fast they are, in kilometres an hour.
    #[serde(default = "speed")]
    #[schema(minimum = 1, maximum = 200)]
    pub speed_kmh: f64,
    /// How much longer a road is than the straight line. 1.4 is what Boscoe, Henry and Zdeb found (A Nationwide
    /// Comparison of Driving Distance Versus Straight-Line Distance to Hospitals, 2012).
    #[serde(default = "detour")]
    #[schema(minimum = 1, maximum = 5)]
    pub detour: f64,
    /// How long it takes to hand one over, in minutes.
    #[serde(default = "service")]
    #[schema(minimum = 0, maximum = 240)]
    pub service_minutes: u32,
    /// How long better routes are looked for, in seconds.
    #[serde(default = "seconds")]
    #[schema(minimum = 1, maximum = 300)]
    pub max_seconds: u32,
    /// Whether few couriers are better than low costs.
    #[serde(default)]
    pub fewest_couriers: bool,
}

fn speed() -> f64 {
    30.0
}

fn detour() -> f64 {
    1.4
}

fn service() -> u32 {
    5
}

fn seconds() -> u32 {
    10
}

/// What a plan found.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[expect(clippy::struct_field_names, reason = "named as in answers")]
pub struct Routes {
    /// One for each courier who leaves.
    pub routes: Vec<Route>,
    /// Deliveries that nobody brings, and why.
    pub unassigned: Vec<Unassigned>,
    /// How far all of them go, in kilometres.
    pub distance_km: f64,
    /// What all of them cost, in the currency of the couriers' costs.
    pub cost: f64,
}

/// What one courier does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Route {
    /// Who.
    pub courier_id: CourierId,
    /// When they leave the depot, in the time of the place.
    #[schema(value_type = String)]
    pub departs: NaiveTime,
    /// When they are back.
    #[schema(value_type = String)]
    pub returns: NaiveTime,
    /// How far they go, in kilometres.
    pub distance_km: f64,
    /// How much they load.
    pub load: i32,
    /// What it costs.
    pub cost: f64,
    /// In this order.
    pub stops: Vec<RouteStop>,
}

/// A delivery on a route.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RouteStop {
    /// Which.
    pub delivery_id: DeliveryId,
    /// As it was when it was planned: what changed since is not given to anybody.
    pub version: i64,
    /// When the courier is there, in the time of the place.
    #[schema(value_type = String)]
    pub arrives: NaiveTime,
    /// When they leave.
    #[schema(value_type = String)]
    pub leaves: NaiveTime,
}

/// A delivery that nobody brings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Unassigned {
    /// Which.
    pub delivery_id: DeliveryId,
    /// Why.
    pub reason: Reason,
}

/// What a plan knows of a delivery.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Parcel {
    /// Its id.
    pub id: DeliveryId,
    /// As it was read.
    pub version: i64,
    /// Where it goes.
    pub location: Option<Location>,
    /// Between which hours.
    pub window: Option<Window>,
    /// How much it takes.
    pub load: i32,
}

/// What a plan knows of a courier.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rider {
    /// Their id.
    pub id: CourierId,
    /// How much they can load.
    pub capacity: i32,
    /// Between which hours.
    pub shift: Window,
    /// What a kilometre costs.
    pub per_km: f64,
    /// What an hour costs.
    pub per_hour: f64,
}

/// What is to be planned, with all that has to be known.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Task {
    /// How.
    pub ask: NewPlan,
    /// What is to be brought.
    pub parcels: Vec<Parcel>,
    /// By whom.
    pub riders: Vec<Rider>,
}

impl Task {
    /// Which parcels can be brought at all, and why the others cannot.
    fn sorted(&self) -> (Vec<&Parcel>, Vec<Unassigned>) {
        let largest = self.riders.iter().map(|rider| rider.capacity).max().unwrap_or(0);
        let (mut good, mut bad) = (Vec::new(), Vec::new());
        for parcel in &self.parcels {
            let reason = match parcel.location {
                None => Some(Reason::NoLocation),
                Some(_) if parcel.load > largest => Some(Reason::TooLarge),
                Some(_) => None,
            };
            match reason {
                Some(reason) => bad.push(Unassigned { delivery_id: parcel.id, reason }),
                None => good.push(parcel),
            }
        }
        (good, bad)
    }

    /// The same, as a problem that has no names.
    pub fn problem(&self) -> Problem {
        let (parcels, _) = self.sorted();
        let NewPlan { depot, speed_kmh, detour, service_minutes, fewest_couriers, .. } = self.ask;
        let places: Vec<_> =
            std::iter::once(depot).chain(parcels.iter().filter_map(|parcel| parcel.location)).collect();
        let pairs = places.iter().flat_map(|from| places.iter().map(|to| (*from, *to)));
        let distances: Vec<_> = pairs.map(|(from, to)| great_circle(from, to) * detour).collect();
        let stop = |parcel: &&Parcel| Stop {
            load: parcel.load,
            window: parcel.window.map_or((0.0, DAY), seconds_of),
            service: f64::from(service_minutes) * 60.0,
        };
        let free = self.riders.iter().all(|rider| rider.per_km == 0.0 && rider.per_hour == 0.0);
        let vehicle = |rider: &Rider| Vehicle {
            capacity: rider.capacity,
            shift: seconds_of(rider.shift),
            // Whom nothing costs anything should still go no further than they must.
            per_metre: if free { 1.0 } else { rider.per_km / 1000.0 },
            per_second: rider.per_hour / 3600.0,
        };
        Problem {
            stops: parcels.iter().map(stop).collect(),
            vehicles: self.riders.iter().map(vehicle).collect(),
            durations: distances.iter().map(|metres| metres * 3.6 / speed_kmh).collect(),
            distances,
            fewest_tours: fewest_couriers,
        }
    }

    /// The solution of [`Task::problem`], with names.
    pub fn routes(&self, solution: &Solution) -> Routes {
        let (parcels, mut unassigned) = self.sorted();
        let nobody = solution.unassigned.iter().filter_map(|(stop, reason)| {
            parcels.get(*stop).map(|parcel| Unassigned { delivery_id: parcel.id, reason: *reason })
        });
        unassigned.extend(nobody);
        let routes = solution.tours.iter().filter_map(|tour| {
            let rider = self.riders.get(tour.vehicle)?;
            let visited = || tour.visits.iter().filter_map(|visit| Some((visit, *parcels.get(visit.stop)?)));
            let stops = visited().map(|(visit, parcel)| RouteStop {
                delivery_id: parcel.id,
                version: parcel.version,
                arrives: time_of(visit.arrival),
                leaves: time_of(visit.departure),
            });
            let hours = (tour.between.1 - tour.between.0) / 3600.0;
            let distance_km = tour.distance / 1000.0;
            Some(Route {
                courier_id: rider.id,
                departs: time_of(tour.between.0),
                returns: time_of(tour.between.1),
                distance_km: rounded(distance_km),
                load: visited().map(|(_, parcel)| parcel.load).sum(),
                cost: rounded(distance_km * rider.per_km + hours * rider.per_hour),
                stops: stops.collect(),
            })
        });
        let routes: Vec<Route> = routes.collect();
        Routes {
            distance_km: rounded(routes.iter().map(|route| route.distance_km).sum()),
            cost: rounded(routes.iter().map(|route| route.cost).sum()),
            routes,
            unassigned,
        }
    }
}

fn rounded(number: f64) -> f64 {
    (number * 1000.0).round() / 1000.0
}

fn seconds_of(window: Window) -> (f64, f64) {
    let seconds = |time: NaiveTime| f64::from(time.num_seconds_from_midnight());
    (seconds(window.from), seconds(window.to))
}

/// The second in which something happens; the last of the day for what happens after it.
fn time_of(seconds: f64) -> NaiveTime {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is 0 to 86,399")]
    let whole = seconds.clamp(0.0, DAY - 1.0) as u32;
    NaiveTime::from_num_seconds_from_midnight_opt(whole, 0).unwrap_or_default()
}
