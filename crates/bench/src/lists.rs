//! Lists and searches over tables as large as they become: how soon they answer, and whether PostgreSQL reads a
//! large table from end to end for one of them.

mod files;
mod plans;
mod questions;
mod seed;
mod tables;

use std::time::{Duration, Instant};

use bhiv_auth::Role;
use bhiv_db::Conn;
use diesel_async::{AsyncConnection as _, SimpleAsyncConnection as _};
use futures_util::future::try_join_all;
use reqwest::Client;

use crate::http::stop_relay;
use crate::page::Page;
use crate::service::{CRM, Kind, LOGISTICS, Service, TASK, team_token, token};
use crate::stack::Stack;
use crate::{Result, say};
use plans::Plans;
use questions::{Asker, Question};

/// What each list and search has to keep to, in milliseconds.
const LIMIT: f64 = 50.0;

/// A service with its tables.
struct Module {
    kind: Kind,
    at: &'static str,
    /// Its largest table.
    largest: &'static str,
}

const MODULES: [Module; 3] = [
    Module { kind: CRM, at: "127.0.0.1:29671", largest: "crm.activities" },
    Module { kind: LOGISTICS, at: "127.0.0.1:29672", largest: "logistics.orders" },
    Module { kind: TASK, at: "127.0.0.1:29673", largest: "task.tasks" },
];

/// `asked` is how often each is asked; `wants` says which modules.
pub async fn measure(stack: &Stack, page: &mut Page, asked: usize, wants: impl Fn(&str) -> bool) -> Result {
    let relay = stop_relay(stack).await?;
    for module in MODULES.iter().filter(|module| wants(module.kind.name())) {
        module.measure(stack, page, asked).await?;
    }
    if wants("crm") {
        files::measure(stack, page).await?;
    }
    drop(relay);
    Ok(())
}

impl Module {
    async fn measure(&self, stack: &Stack, page: &mut Page, asked: usize) -> Result {
        let name = self.kind.name();
        Service::set_up(stack, self.kind).await?;
        let plans = Plans::watch(stack).await?;
        let mut service = Service::start(stack, self.kind, self.at, &[]).await?;
        seed::fill(stack, name, self.at).await?;
        let admin = token(stack, "bench", Role::Admin)?;
        let seller = team_token(stack, "user-7", Role::Sales, "team-7")?;
        let asker = |token, says| Asker { at: self.at, token, says };
        let mut questions = questions::of(asker(&admin, "")).await?;
        if name == "crm" {
            questions.extend(questions::of(asker(&seller, "by a seller")).await?);
        }
        let mut scans = Vec::new();
        for question in &questions {
            let said = plans.during(async || question.ask(&Client::new()).await).await?;
            scans.extend(said.into_iter().map(|table| format!("{question} reads all of {table}")));
        }
        service.end().await?;
        plans.stop(stack).await?;

        let counted = counting(stack, self.largest, asked).await?;
        let mut service = Service::start(stack, self.kind, self.at, &[]).await?;
        let mut slowest = Vec::new();
        for question in &questions {
            slowest.push((p95(question, asked).await?, question));
        }
        service.end().await?;
        slowest.sort_by(|(one, _), (other, _)| other.total_cmp(one));
        let Some((worst, _)) = slowest.first() else { return Err(format!("{name} has no lists").into()) };
        page.single(
            &format!("{name}: the slowest of {} lists and searches, p95", questions.len()),
            format!("{worst:.1} ms"),
            &format!("counting {} in PostgreSQL: {counted:.1} ms", self.largest),
            "50 ms",
            *worst <= LIMIT,
        );
        for (took, question) in slowest.iter().take(5) {
            page.single(&format!("{name}: {question}, p95"), format!("{took:.1} ms"), "", "", true);
        }
        page.single(
            &format!("{name}: lists that read a large table from end to end"),
            scans.len().to_string(),
            "",
            "0",
            scans.is_empty(),
        );
        for scan in &scans {
            say(scan);
        }
        Ok(())
    }
}

/// Two clients ask at once, each again as soon as it has its answer; 95 of 100 answers take no longer, in
/// milliseconds.
async fn p95(question: &Question, asked: usize) -> Result<f64> {
    let client = Client::new();
    // What is asked for the first time is not in memory yet.
    question.ask(&client).await?;
    let clients = (0..2).map(|_| async {
        let mut took = Vec::with_capacity(asked);
        for _ in 0..asked.div_ceil(2) {
            let begun = Instant::now();
            question.ask(&client).await?;
            took.push(begun.elapsed());
        }
        Ok::<_, crate::Failure>(took)
    });
    of_100(95, try_join_all(clients).await?.into_iter().flatten().collect())
}

/// The same for the number of a table's rows, by one session of PostgreSQL.
async fn counting(stack: &Stack, table: &str, asked: usize) -> Result<f64> {
    let mut conn = Conn::establish(stack.database_url.expose()).await?;
    let mut took = Vec::with_capacity(asked);
    for _ in 0..asked {
        let begun = Instant::now();
        conn.batch_execute(&format!("SELECT count(*) FROM {table}")).await?;
        took.push(begun.elapsed());
    }
    of_100(95, took)
}

/// So many of 100 took no longer, in milliseconds.
fn of_100(percent: usize, mut took: Vec<Duration>) -> Result<f64> {
    took.sort_unstable();
    let place = (took.len() * percent).div_ceil(100).saturating_sub(1);
    let took = took.get(place).ok_or("nothing was asked")?;
    Ok(took.as_secs_f64() * 1000.0)
}

/// How it is measured.
pub const METHOD: &str = "\
# Lists and searches: figures

`scripts/bench lists` writes this page. Tables as large as they become (100,000 leads, 100,000 orders, 300,000 tasks,
and what belongs to them) are filled with copies of records that the services made. Then every list that a
service's OpenAPI document has is asked in every order, with every filter, with words to search for, and for a
later part; two clients at a time, on the machine that PostgreSQL and the load run on, too.

- **p95**: 95 of 100 answers take no longer, `total` included.
- **counting**: what one session of PostgreSQL needs, 95 times of 100, for the number of rows of the module's largest table:
  a list's `total` is such a number, and the machine's speed is in both.
- **reads a large table from end to end**: the plan of one of its statements has a sequential scan of a table with more
  than 10,000 rows, as PostgreSQL's `auto_explain` tells.
- **memory at its peak**: the largest that the process ever was (`VmHWM`), after a file of 100,000 rows beside after one
  of 10,000. The file is some 8 MB long coming, and some 60 MB going.

";
