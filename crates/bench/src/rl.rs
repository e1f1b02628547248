//! Learning beside Vowpal Wabbit, on sets that neither knows: how much is lost while it is learned, and how fast.
//!
//! A classification set becomes a bandit problem as in Bietti, Agarwal and Langford (2021), "A contextual bandit
//! bake-off": in the order of the rows, the learner sees the features, draws one of the classes, and is told only
//! whether it is the right one.

mod ours;
mod sets;
mod vw;

use std::path::{Path, PathBuf};

use bhiv_bandit::Exploration;

use crate::page::Page;
use crate::{Result, say};
use sets::Set;
use vw::Vw;

/// What is measured, and with what.
#[derive(Clone, Debug, clap::Args)]
pub struct Sources {
    /// Sets: `NAME.csv.gz`, the class last.
    #[arg(long, env = "BENCH_BANDIT_DATA")]
    data: PathBuf,
    /// A Python that has `vowpalwabbit`.
    #[arg(long, env = "BENCH_VW_PYTHON")]
    python: PathBuf,
    /// The program that it runs.
    #[arg(long, env = "BENCH_VW_PROGRAM")]
    program: PathBuf,
    /// Where files of the run are put.
    #[arg(long, env = "BENCH_RUN")]
    run: PathBuf,
    /// The page that is written.
    #[arg(long, env = "BENCH_PAGE")]
    pub page: PathBuf,
}

/// The one configuration of ours: it is the same for every set.
const OURS: Exploration = Exploration::Optimism { width: 0.2 };

/// Others, to compare.
const OTHERS: [(&str, Exploration); 3] = [
    ("SquareCB", Exploration::SquareCb { gamma: 20.0, exponent: 0.5 }),
    ("Thompson sampling", Exploration::Thompson { width: 0.2 }),
    ("elimination", Exploration::Elimination { width: 0.2 }),
];

/// What VW's best may lose, and ours at most.
const REACH: f64 = 0.264;

/// Losses of one configuration on one set, one for each shuffle.
#[derive(Clone, Debug, Default)]
struct Losses(Vec<f64>);

impl Losses {
    fn mean(&self) -> f64 {
        self.0.iter().sum::<f64>() / number(self.0.len())
    }

    /// The standard error of the mean.
    fn error(&self) -> f64 {
        let mean = self.mean();
        let squares: f64 = self.0.iter().map(|loss| (loss - mean).powi(2)).sum();
        (squares / (number(self.0.len()) - 1.0).max(1.0) / number(self.0.len())).sqrt()
    }
}

fn number(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

/// Losses of one configuration on every set.
type Table = Vec<Losses>;

fn mean(table: &Table) -> f64 {
    table.iter().map(Losses::mean).sum::<f64>() / number(table.len())
}

/// Whether two differ by less than two standard errors.
fn is_noise(one: &Losses, other: &Losses) -> bool {
    (one.mean() - other.mean()).abs() < 2.0 * one.error().hypot(other.error())
}

/// Measures losses over `shuffles` orders of each set, and decisions per second in `runs` runs.
pub fn measure(sources: &Sources, page: &mut Page, shuffles: u64, runs: usize) -> Result {
    let mut vw = Vw::start(&sources.python, &sources.program)?;
    page.beside(&format!("Vowpal Wabbit {}", vw.version()));
    let sets = sets::all(&sources.data)?;
    let all = |exploration| -> Table {
        sets.iter()
            .map(|set| {
                Losses((0..shuffles).map(|order| ours::loss(&set.shuffled(order), exploration)).collect())
            })
            .collect()
    };
    let ours = all(OURS);
    say(&format!("ours, {shuffles} shuffles of {} sets: {:.4}", sets.len(), mean(&ours)));
    let theirs = Theirs::measure(&mut vw, &sets, &sources.run, shuffles)?;
    for (place, set) in sets.iter().enumerate() {
        let at = |table: &Table| table.get(place).cloned().unwrap_or_default();
        let (mine, best, untuned) = (at(&ours), at(&theirs.reg_cb), at(&theirs.square_cb));
        let noise = if is_noise(&mine, &best) { " (within noise)" } else { "" };
        page.single(
            &format!(
                "{}: {} rows, {} features, {} actions",
                set.name,
                set.rows.len(),
                set.features,
                set.actions
            ),
            format!("{:.3} ± {:.3}", mine.mean(), mine.error()),
            &format!(
                "RegCB-opt: {:.3} ± {:.3}{noise}; SquareCB: {:.3}",
                best.mean(),
                best.error(),
                untuned.mean()
            ),
            "",
            true,
        );
    }
    page.single(
        "mean loss, one configuration for all sets",
        format!("{:.4}", mean(&ours)),
        &format!(
            "RegCB-opt, the best of {} rates for all: {:.4} (rate {})",
            vw::RATES.len(),
            mean(&theirs.reg_cb),
            theirs.rate
        ),
        &format!("{REACH}"),
        mean(&ours) <= REACH,
    );
    let untuned = mean(&theirs.square_cb);
    for (name, exploration) in OTHERS {
        let table = all(exploration);
        let is_ours = name == "SquareCB";
        page.single(
            &format!("mean loss, {name}, untuned"),
            format!("{:.4}", mean(&table)),
            &if is_ours { format!("SquareCB as it comes: {untuned:.4}") } else { String::new() },
            if is_ours { "below it" } else { "" },
            !is_ours || mean(&table) < untuned,
        );
    }
    speed(&mut vw, page, &sources.run, runs)
}

/// What VW loses.
struct Theirs {
    /// RegCB-opt with the rate that is best for all sets together.
    reg_cb: Table,
    rate: f64,
    /// SquareCB as it comes.
    square_cb: Table,
}

impl Theirs {
    fn measure(vw: &mut Vw, sets: &[Set], run: &Path, shuffles: u64) -> Result<Self> {
        let mut tables: Vec<Table> = vec![Table::new(); vw::RATES.len()];
        let mut square_cb = Table::new();
        for set in sets {
            let mut of_rates = vec![Losses::default(); vw::RATES.len()];
            let mut untuned = Losses::default();
            for order in 0..shuffles {
                let file = run.join("vw.txt");
                vw::write(&file, &set.shuffled(order))?;
                for (losses, rate) in of_rates.iter_mut().zip(vw::RATES) {
                    losses.0.push(vw.run(&file, set.actions, &vw::reg_cb(rate))?.loss);
                }
                untuned.0.push(vw.run(&file, set.actions, vw::SQUARE_CB)?.loss);
            }
            say(&format!("VW has learned {}", set.name));
            for (table, losses) in tables.iter_mut().zip(of_rates) {
                table.push(losses);
            }
            square_cb.push(untuned);
        }
        let best = tables
            .into_iter()
            .zip(vw::RATES)
            .min_by(|(one, _), (other, _)| mean(one).total_cmp(&mean(other)));
        let (reg_cb, rate) = best.ok_or("no rates")?;
        Ok(Self { reg_cb, rate, square_cb })
    }
}

/// 26 actions, 16 features: one thread, and without what reading the rows takes.
fn speed(vw: &mut Vw, page: &mut Page, run: &Path, runs: usize) -> Result {
    let set = sets::letters(50_000);
    let file = run.join("vw-speed.txt");
    vw::write(&file, &set)?;
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for turn in 0..=runs {
        let mine = ours::rate(&set, OURS);
        let whole = vw.run(&file, set.actions, &vw::reg_cb(0.5))?.seconds;
        let reading = vw.read(&file)?;
        let rate = number(set.rows.len()) / (whole - reading).max(f64::EPSILON);
        say(&format!("decisions {turn}/{runs}: {mine:.0}/s, VW {rate:.0}/s"));
        if turn > 0 {
            ours.push(mine);
            theirs.push(rate);
        }
    }
    page.rates("decisions, 26 actions and 16 features, one thread", ours, "RegCB-opt", theirs, 1.0, 0.0);
    Ok(())
}

/// How it is measured.
pub const METHOD: &str = "\
# Learning: figures

`scripts/bench rl` writes this page. A classification set becomes a bandit problem as in Bietti, Agarwal and Langford
(2021), \"A contextual bandit bake-off\": in the order of the rows, the learner sees the features, draws one of the
classes as its action, and is told only whether it is the right one.

- **loss**: the part of the rows whose class was not drawn, exploration included; the mean over shuffles of the set, and
  its standard error. What differs by less than two standard errors is within noise.
- **ours**: ridge regression of the reward, one for each action, on features that are brought to one scale as they come;
  optimism (LinUCB), width 0.2, lambda 1. Nothing is different from set to set, and nothing knows which set it is.
- **RegCB-opt**, **SquareCB**: Vowpal Wabbit on the same rows in the same orders, `--cbify K --cb_explore_adf --cb_type
  mtr`, costs -1 and 0. RegCB-opt has the one learning rate, of nine from 2^-4 to 2^4, that is best over all sets
  together; SquareCB is as it comes. The mean to reach, 0.264, is what a wider search of RegCB-opt's settings gave.
- **decisions**: rows per second that are decided and learned from, on one thread. Reading them is left out on both
  sides: VW's time for the same file with `--noop` is taken off.

";
