//! Finds routes. Pure computation that takes a while; jobs call it where it blocks nobody.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use vrp_core::construction::features::create_minimize_tours_feature;
use vrp_core::construction::heuristics::UnassignmentInfo;
use vrp_core::models::common::TimeWindow;
use vrp_core::models::problem::{JobIdDimension as _, VehicleIdDimension as _};
use vrp_core::models::solution::Route;
use vrp_core::prelude::{
    CapacityFeatureBuilder, Demand, Environment, GenericResult, GoalContextBuilder, Job,
    MinimizeUnassignedBuilder, Problem as Model, ProblemBuilder, SimpleTransportCost, SingleBuilder,
    SingleDimLoad, Solver, TransportCost, TransportFeatureBuilder, Vehicle as Actor, VehicleBuilder,
    VehicleDetailBuilder, ViolationCode, VrpConfigBuilder,
};
use vrp_core::rosomaxa::evolution::TelemetryMode;
use vrp_core::rosomaxa::utils::{Parallelism, Quota};

use crate::domain::routing::{Problem, Reason, Solution, Stop, Tour, Vehicle, Visit};

const CAPACITY: ViolationCode = ViolationCode(1);
const TIME: ViolationCode = ViolationCode(2);

/// When it is enough.
#[derive(Clone, Debug)]
pub struct Limits {
    /// After so many seconds.
    pub seconds: usize,
    /// After so many generations.
    pub generations: usize,
    /// When this is true.
    pub stop: Arc<AtomicBool>,
}

struct Stopped(Arc<AtomicBool>);

impl Quota for Stopped {
    fn is_reached(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Looks for the best tours until a limit is reached; the error is what the solver says. First as few stops as can
/// be are left out, then, if it is asked for, few tours are made, then they are made cheap.
pub fn solve(problem: &Problem, limits: &Limits) -> Result<Solution, String> {
    if problem.stops.is_empty() || problem.vehicles.is_empty() {
        return Ok(Solution::default());
    }
    find(problem, limits).map_err(|error| error.to_string())
}

fn find(problem: &Problem, limits: &Limits) -> GenericResult<Solution> {
    let environment = Environment {
        quota: Some(Arc::new(Stopped(Arc::clone(&limits.stop)))),
        // What is planned beside requests leaves them the other cores.
        parallelism: Parallelism::new_with_cpus(1),
        logger: Arc::new(|_| ()),
        ..Environment::default()
    };
    let model = Arc::new(model(problem)?);
    let config = VrpConfigBuilder::new(Arc::clone(&model))
        .set_environment(Arc::new(environment))
        .set_telemetry_mode(TelemetryMode::None)
        .prebuild()?
        .with_max_time(Some(limits.seconds))
        .with_max_generations(Some(limits.generations))
        .build()?;
    let found = Solver::new(model, config).solve()?;
    let unassigned = found.unassigned.iter().filter_map(|(job, why)| Some((stop_of(job)?, reason(why))));
    Ok(Solution {
        tours: found.routes.iter().filter_map(|route| tour(problem, route)).collect(),
        unassigned: unassigned.collect(),
    })
}

fn model(problem: &Problem) -> GenericResult<Model> {
    let transport: Arc<dyn TransportCost> =
        Arc::new(SimpleTransportCost::new(problem.durations.clone(), problem.distances.clone())?);
    let mut features = vec![MinimizeUnassignedBuilder::new("unassigned").build()?];
    if problem.fewest_tours {
        features.push(create_minimize_tours_feature("tours")?);
    }
    features.push(
        TransportFeatureBuilder::new("cost")
            .set_violation_code(TIME)
            .set_transport_cost(Arc::clone(&transport))
            .build_minimize_cost()?,
    );
    features
        .push(CapacityFeatureBuilder::<SingleDimLoad>::new("capacity").set_violation_code(CAPACITY).build()?);
    let jobs = problem.stops.iter().enumerate().map(job).collect::<GenericResult<Vec<_>>>()?;
    let vehicles = problem.vehicles.iter().enumerate().map(actor).collect::<GenericResult<Vec<_>>>()?;
    ProblemBuilder::default()
        .add_jobs(jobs.into_iter())
        .add_vehicles(vehicles.into_iter())
        .with_goal(GoalContextBuilder::with_features(&features)?.build()?)
        .with_transport_cost(transport)
        .with_logger(Arc::new(|_| ()))
        .build()
}

fn job((at, stop): (usize, &Stop)) -> GenericResult<Job> {
    SingleBuilder::default()
        .id(&at.to_string())
        .demand(Demand::delivery(stop.load))
        .location(at + 1)?
        .duration(stop.service)?
        .times(vec![TimeWindow::new(stop.window.0, stop.window.1)])?
        .build_as_job()
}

fn actor((at, vehicle): (usize, &Vehicle)) -> GenericResult<Actor> {
    let detail = VehicleDetailBuilder::default()
        .set_start_location(0)
        .set_start_time(vehicle.shift.0)
        .set_end_location(0)
        .set_end_time(vehicle.shift.1)
        .build()?;
    VehicleBuilder::default()
        .id(&at.to_string())
        .add_detail(detail)
        .set_distance_cost(vehicle.per_metre)
        .set_duration_cost(vehicle.per_second)
        .capacity(SingleDimLoad::new(vehicle.capacity))
        .build()
}

fn stop_of(job: &Job) -> Option<usize> {
    job.as_single()?.dimens.get_job_id()?.parse().ok()
}

fn reason(why: &UnassignmentInfo) -> Reason {
    let codes = match why {
        UnassignmentInfo::Unknown => Vec::new(),
        UnassignmentInfo::Simple(code) => vec![*code],
        UnassignmentInfo::Detailed(all) => all.iter().map(|(_, code)| *code).collect(),
    };
    match (codes.contains(&CAPACITY), codes.contains(&TIME)) {
        (true, false) => Reason::Capacity,
        (false, true) => Reason::Time,
        _ => Reason::CapacityAndTime,
    }
}

fn tour(problem: &Problem, route: &Route) -> Option<Tour> {
    let places: Vec<_> = route.tour.all_activities().map(|activity| activity.place.location).collect();
    let size = problem.stops.len() + 1;
    let legs = places.windows(2).filter_map(|leg| match leg {
        [from, to] => problem.distances.get(from * size + to),
        _ => None,
    });
    let visits: Vec<_> = route
        .tour
        .all_activities()
        .filter_map(|activity| {
            activity.job.as_ref()?;
            let (arrival, departure) = (activity.schedule.arrival, activity.schedule.departure);
            Some(Visit { stop: activity.place.location.checked_sub(1)?, arrival, departure })
        })
        .collect();
    if visits.is_empty() {
        return None;
    }
    Some(Tour {
        vehicle: route.actor.vehicle.dimens.get_vehicle_id()?.parse().ok()?,
        between: (route.tour.start()?.schedule.departure, route.tour.end()?.schedule.arrival),
        distance: legs.sum(),
        visits,
    })
}

#[cfg(test)]
mod tests;
