//! The table at the end, and the page that keeps the last figures.

use std::fmt::Write as _;

use comfy_table::Table;
use comfy_table::presets::{ASCII_MARKDOWN, UTF8_HORIZONTAL_ONLY};

use crate::stack::Stack;
use crate::{Result, say};

/// One line of the table.
#[derive(Debug)]
struct Figure {
    what: String,
    ours: String,
    beside: String,
    ratio: String,
    reach: String,
    is_reached: bool,
}

/// What was measured.
#[derive(Debug)]
pub struct Page {
    figures: Vec<Figure>,
    runs: usize,
    machine: String,
    method: &'static str,
    file: std::path::PathBuf,
}

impl Page {
    /// `method` is how the page begins: what is measured, and how.
    pub async fn new(method: &'static str, runs: usize, stack: &Stack) -> Result<Self> {
        let cores = std::thread::available_parallelism()?;
        let postgres = stack.words("split_part(version(), ' ', 2)").await?;
        let fsync = stack.words("current_setting('synchronous_commit')").await?;
        let machine =
            format!("{cores} cores, PostgreSQL {postgres} (synchronous_commit {fsync}), one RabbitMQ node");
        Ok(Self { figures: Vec::new(), runs, machine, method, file: stack.page.clone() })
    }

    /// The same of something that needs no server.
    pub fn alone(method: &'static str, runs: usize, file: std::path::PathBuf) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get);
        Self { figures: Vec::new(), runs, machine: format!("{cores} cores"), method, file }
    }

    /// Names something else that has a part in the figures.
    pub fn beside(&mut self, what: &str) {
        let _ = write!(self.machine, ", {what}");
    }

    /// Ours beside the limit, both per second, and the ratio that it has to reach.
    pub fn rates(
        &mut self,
        what: &str,
        mut ours: Vec<f64>,
        beside: &str,
        mut limit: Vec<f64>,
        reach: f64,
        least: f64,
    ) {
        let (mine, theirs) = (median(&mut ours), median(&mut limit));
        let ratio = mine / theirs;
        let wanted =
            [(reach > 0.0).then(|| reach.to_string()), (least > 0.0).then(|| format!("{least:.0}/s"))];
        self.push(Figure {
            what: what.to_owned(),
            ours: format!("{mine:.0}/s"),
            beside: format!("{beside}: {theirs:.0}/s"),
            ratio: format!("{ratio:.2}"),
            reach: wanted.into_iter().flatten().collect::<Vec<_>>().join(" and "),
            is_reached: ratio >= reach && mine >= least,
        });
    }

    /// A figure that stands for itself.
    pub fn single(&mut self, what: &str, ours: String, beside: &str, reach: &str, is_reached: bool) {
        self.push(Figure {
            what: what.to_owned(),
            ours,
            beside: beside.to_owned(),
            ratio: String::new(),
            reach: reach.to_owned(),
            is_reached,
        });
    }

    fn push(&mut self, figure: Figure) {
        let Figure { what, ours, beside, ratio, .. } = &figure;
        say(&format!("{what}: {ours}  {beside}  {ratio}"));
        self.figures.push(figure);
    }

    /// Prints the table, and writes the page if everything was measured.
    #[expect(clippy::print_stdout, reason = "the table is the result")]
    pub fn finish(&self, is_whole: bool) -> Result {
        let mut table = Table::new();
        table.load_preset(UTF8_HORIZONTAL_ONLY);
        self.fill(&mut table);
        println!("{table}\n{}, medians of {} runs", self.machine, self.runs);
        if is_whole {
            let mut markdown = Table::new();
            markdown.load_preset(ASCII_MARKDOWN);
            self.fill(&mut markdown);
            let mut page = self.method.to_owned();
            write!(page, "{}; medians of {} runs.\n\n{markdown}\n", self.machine, self.runs)?;
            std::fs::write(&self.file, page)?;
            say(&format!("written: {}", self.file.display()));
        }
        Ok(())
    }

    fn fill(&self, table: &mut Table) {
        table.set_header(["figure", "ours", "beside", "ratio", "reach", ""]);
        for Figure { what, ours, beside, ratio, reach, is_reached } in &self.figures {
            let verdict = match is_reached {
                // There to be compared with.
                _ if reach.is_empty() => "",
                true => "reached",
                false => "MISSED",
            };
            table.add_row([what.as_str(), ours, beside, ratio, reach, verdict]);
        }
    }
}

/// How messaging is measured.
pub const MESSAGING: &str = "\
# Messaging: figures

`scripts/bench messaging` writes this page. Every figure stands beside its limit, measured in the same run on the
same servers, both sides taking turns after a warm-up that does not count. The machine is shared and noisy: trust
the ratios, not the digits. The programs are built like those in images.

- **write over HTTP**: `POST /crm/leads` of a running crm (token verified, input checked, others who look like the
  lead searched for; the lead, its event, its audit row and its history in one transaction), by wrk; beside
  pgbench, prepared statements, `BEGIN`, the same rows in three inserts, `COMMIT`, the same number of clients. The
  relay stands still meanwhile, unless the line says otherwise.
- **with and without the outbox**: the same request for a lead, its row alone or with the rows of event and audit,
  by wrk. Shared commits make the bare write so cheap that two more rows, each larger than the lead's, weigh more
  than they would beside a commit of its own each. How much is PostgreSQL's part shows pgbench with the same
  inserts, 8 writes a commit, 4 clients: no code of ours can be nearer to the bare write than that by much.
- **relay**: an outbox full of events of 512 bytes until it is empty; beside the AMQP client library alone,
  publishing as many to the same queue with 256 confirms under way.
- **inbox**: a full queue until every message has its row; beside the database client library alone, inserting the
  same rows (ids that were seen, effects) in batches of 200.
- **latency**: 200 events a second for 20 s, from before the producer's transaction to after the consumer's
  commit.
- **backlog**: 1,000,000 events waiting when the relay starts: the slowest tenth beside the first one, and memory.

";

/// The one in the middle.
pub fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
