//! Sets of rows: features, and the class.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use flate2::read::GzDecoder;
use rand::rngs::StdRng;
use rand::seq::SliceRandom as _;
use rand::{RngExt as _, SeedableRng as _};

use crate::Result;

/// An example: the features, and the class, from 0.
#[derive(Clone, Debug)]
pub struct Row {
    pub features: Vec<f64>,
    pub class: usize,
}

/// A set.
#[derive(Clone, Debug)]
pub struct Set {
    pub name: String,
    pub rows: Vec<Row>,
    pub features: usize,
    pub actions: usize,
}

impl Set {
    fn new(name: &str, rows: Vec<Row>) -> Self {
        let features = rows.iter().map(|row| row.features.len()).max().unwrap_or(0);
        let actions = rows.iter().map(|row| row.class + 1).max().unwrap_or(0);
        Self { name: name.to_owned(), rows, features, actions }
    }

    /// The same rows in another order; the first order is that of the file.
    pub fn shuffled(&self, order: u64) -> Self {
        let mut set = self.clone();
        if order > 0 {
            set.rows.shuffle(&mut StdRng::seed_from_u64(order));
        }
        set
    }
}

/// Every set of a directory, by name.
pub fn all(directory: &Path) -> Result<Vec<Set>> {
    let mut sets = Vec::new();
    for entry in std::fs::read_dir(directory)? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if let Some(name) = name.strip_suffix(".csv.gz") {
            let mut text = String::new();
            GzDecoder::new(File::open(&path)?).read_to_string(&mut text)?;
            sets.push(Set::new(
                name,
                text.lines().filter(|line| !line.is_empty()).map(row).collect::<Result<_>>()?,
            ));
        }
    }
    sets.sort_by(|one, other| one.name.cmp(&other.name));
    if sets.is_empty() { Err(format!("no sets in {}", directory.display()).into()) } else { Ok(sets) }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "classes are small whole numbers"
)]
fn row(line: &str) -> Result<Row> {
    let mut features = line.split(',').map(|cell| Ok(cell.trim().parse()?)).collect::<Result<Vec<f64>>>()?;
    let class = features.pop().ok_or("a row without a class")? as usize;
    Ok(Row { features, class })
}

/// As many rows, with 26 classes and 16 features, a class being where the features are close to.
pub fn letters(rows: usize) -> Set {
    let mut chance = StdRng::seed_from_u64(26);
    let mut point = |spread: f64| -> Vec<f64> { (0..16).map(|_| spread * chance.random::<f64>()).collect() };
    let middles: Vec<_> = (0..26).map(|_| point(15.0)).collect();
    let rows = (0..rows).map(|number| {
        let class = number * 7 % 26;
        let middle = middles.get(class).into_iter().flatten();
        Row { features: middle.zip(point(6.0)).map(|(middle, off)| middle + off).collect(), class }
    });
    Set::new("letters", rows.collect())
}
