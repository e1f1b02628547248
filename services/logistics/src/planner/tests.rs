use super::*;

const ENOUGH: usize = 60;

fn limits(generations: usize) -> Limits {
    Limits { seconds: 120, generations, stop: Arc::new(AtomicBool::new(false)) }
}

/// Every promise of a solution, computed anew.
fn check(problem: &Problem, solution: &Solution) {
    let size = problem.stops.len() + 1;
    let mut seen: Vec<_> = solution.unassigned.iter().map(|(stop, _)| *stop).collect();
    for tour in &solution.tours {
        let vehicle = &problem.vehicles[tour.vehicle];
        let (mut at, mut time, mut load, mut distance) = (0, tour.between.0, 0, 0.0);
        assert!(time >= vehicle.shift.0);
        for visit in &tour.visits {
            let stop = &problem.stops[visit.stop];
            let leg = at * size + visit.stop + 1;
            distance += problem.distances[leg];
            time += problem.durations[leg];
            assert!((visit.arrival - time).abs() < 1e-6 && visit.arrival <= stop.window.1 + 1e-6);
            time = time.max(stop.window.0) + stop.service;
            assert!((visit.departure - time).abs() < 1e-6);
            load += stop.load;
            at = visit.stop + 1;
            seen.push(visit.stop);
        }
        distance += problem.distances[at * size];
        time += problem.durations[at * size];
        assert!(load <= vehicle.capacity && time <= vehicle.shift.1 + 1e-6);
        assert!((time - tour.between.1).abs() < 1e-6 && (distance - tour.distance).abs() < 1e-6);
    }
    seen.sort_unstable();
    assert_eq!(seen, (0..problem.stops.len()).collect::<Vec<_>>(), "each stop once");
}

/// Places on a line, as far from the depot as it says; a metre takes a second.
fn line(places: &[f64], stops: Vec<Stop>, vehicles: Vec<Vehicle>) -> Problem {
    let places: Vec<_> = std::iter::once(0.0).chain(places.iter().copied()).collect();
    let distances: Vec<_> =
        places.iter().flat_map(|from| places.iter().map(move |to| (from - to).abs())).collect();
    Problem { stops, vehicles, durations: distances.clone(), distances, fewest_tours: false }
}

fn stop(load: i32, window: (f64, f64)) -> Stop {
    Stop { load, window, service: 10.0 }
}

fn vehicle(capacity: i32, end: f64) -> Vehicle {
    Vehicle { capacity, shift: (0.0, end), per_metre: 1.0, per_second: 0.0 }
}

#[test]
fn windows_decide_the_order_and_capacities_who_stays_behind() {
    let stops = vec![stop(1, (500.0, 900.0)), stop(1, (0.0, 250.0)), stop(2, (0.0, 900.0))];
    let problem = line(&[100.0, 200.0, 150.0], stops, vec![vehicle(2, 1000.0)]);
    let solution = solve(&problem, &limits(ENOUGH)).unwrap();
    check(&problem, &solution);
    assert_eq!(solution.unassigned, [(2, Reason::Capacity)]);
    let [tour] = solution.tours.as_slice() else { panic!("{solution:?}") };
    let order: Vec<_> = tour.visits.iter().map(|visit| visit.stop).collect();
    assert_eq!(order, [1, 0], "the far one closes first");
}

#[test]
fn what_cannot_be_reached_in_time_says_so() {
    let stops = vec![stop(1, (0.0, 50.0)), stop(1, (0.0, 900.0)), stop(1, (0.0, 900.0))];
    let problem = line(&[100.0, 600.0, 10.0], stops, vec![vehicle(9, 1000.0), vehicle(9, 1000.0)]);
    let solution = solve(&problem, &limits(ENOUGH)).unwrap();
    check(&problem, &solution);
    let mut unassigned = solution.unassigned;
    unassigned.sort_by_key(|(stop, _)| *stop);
    assert_eq!(unassigned, [(0, Reason::Time), (1, Reason::Time)]);
}

#[test]
fn nothing_to_do_and_nobody_to_do_it_are_answers() {
    assert_eq!(solve(&line(&[], Vec::new(), vec![vehicle(1, 9.0)]), &limits(1)), Ok(Solution::default()));
}

#[test]
fn it_ends_when_it_is_told_to() {
    let problem = solomon("r101");
    let endless = Limits { seconds: 100_000, ..limits(usize::MAX) };
    let (stop, (ended, waiting)) = (Arc::clone(&endless.stop), std::sync::mpsc::channel());
    std::thread::spawn(move || ended.send(solve(&problem, &endless)));
    stop.store(true, Ordering::Relaxed);
    let solution = waiting.recv_timeout(std::time::Duration::from_mins(1));
    assert!(solution.unwrap().is_ok());
}

/// An instance of M. M. Solomon, Algorithms for the Vehicle Routing and Scheduling Problems with Time Window
/// Constraints, Operations Research 35(2), 1987. Its capacity is 200, its fleet 25.
fn solomon(name: &str) -> Problem {
    let file = format!("{}/tests/solomon/{name}.txt", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(file).unwrap();
    let rows = text.lines().filter(|line| !line.starts_with('#'));
    let rows: Vec<[f64; 6]> = rows
        .map(|row| {
            row.split(' ').map(|number| number.parse().unwrap()).collect::<Vec<_>>().try_into().unwrap()
        })
        .collect();
    let apart = |a: &[f64; 6], b: &[f64; 6]| (a[0] - b[0]).hypot(a[1] - b[1]);
    let distances: Vec<_> = rows.iter().flat_map(|from| rows.iter().map(|to| apart(from, to))).collect();
    #[expect(clippy::cast_possible_truncation, reason = "demands are small whole numbers")]
    let stop = |row: &[f64; 6]| Stop { load: row[2] as i32, window: (row[3], row[4]), service: row[5] };
    Problem {
        stops: rows.iter().skip(1).map(stop).collect(),
        vehicles: vec![
            Vehicle { capacity: 200, shift: (0.0, rows[0][4]), per_metre: 1.0, per_second: 0.0 };
            25
        ],
        durations: distances.clone(),
        distances,
        fewest_tours: true,
    }
}

/// The best known: tours and distance, with unrounded distances and tours first, as SINTEF lists them
/// (sintef.no/projectweb/top/vrptw).
const BEST_KNOWN: [(&str, usize, f64); 3] =
    [("c101", 10, 828.94), ("r101", 19, 1650.80), ("rc101", 14, 1696.95)];

#[test]
fn published_instances_are_solved_nearly_as_well_as_is_known() {
    for (name, tours, distance) in BEST_KNOWN {
        let problem = solomon(name);
        let solution = solve(&problem, &limits(3000)).unwrap();
        check(&problem, &solution);
        assert!(solution.unassigned.is_empty(), "{name}: {:?}", solution.unassigned);
        let found: f64 = solution.tours.iter().map(|tour| tour.distance).sum();
        let gap = (found / distance - 1.0) * 100.0;
        assert!(solution.tours.len() <= tours + 2, "{name}: {} tours", solution.tours.len());
        assert!(gap < 5.0, "{name}: {found:.2}, {gap:.2} % more than is known to be needed");
    }
}
