use std::convert::Infallible;

use bhiv_db::DieselError;
use bhiv_events::compliance::ErasureRequested;
use bhiv_outbox::{Column, Command, Erasure, Fault, Tx};
use bhiv_types::State as _;

use super::advance_run::give_up;
use super::save_task::save_task;
use crate::domain::approval::ApprovalStatus;
use crate::domain::run::Outcome;
use crate::domain::task::TaskStatus;
use crate::store::{erasure, heard, run, task};

const DONE: &str = "That something was to be done, by when, and by whom it was; not what";
const RATINGS: &str = "What orders were rated; who said so, and their words, are taken out";
const NAMED: &str =
    "Workflows that ask them or give them tasks: only whoever runs these can name somebody else";

/// Where people, and workflows for them, write about others, besides what is about those themselves.
const TEXTS: [(&str, &str); 8] = [
    ("tasks", "title"),
    ("tasks", "description"),
    ("tasks", "reference"),
    ("feedback", "comment"),
    ("reviews", "comments"),
    ("approvals", "question"),
    ("approvals", "comment"),
    ("workflow_runs", "error"),
];

/// Removes what tells who a person is: the texts of the tasks about them, of which those that are open end; what they
/// said of orders; every event that is about them, and what workflows would still do about it. Of somebody who works
/// here, also which tasks were theirs, and so how well they did them.
#[derive(Debug)]
pub struct ErasePerson(pub ErasureRequested);

impl Command for ErasePerson {
    type Output = ();
    type Refusal = Infallible;

    async fn run(&self, tx: &mut Tx) -> Result<(), Fault<Infallible>> {
        let mut erasure = tx.begin_erasure(&self.0).await?;
        events_and_runs(tx, &mut erasure).await?;
        tasks(tx, &mut erasure).await?;
        feedback(tx, &mut erasure).await?;
        work(tx, &mut erasure).await?;
        texts(tx, &mut erasure).await?;
        tx.finish_erasure(erasure).await?;
        Ok(())
    }
}

/// What was heard of them tells what they are called; the runs about it end.
async fn events_and_runs(tx: &mut Tx, erasure: &mut Erasure) -> Result<(), DieselError> {
    let heard = heard::about(tx.conn(), &erasure.names()).await?;
    for field in ["name", "email", "phone"] {
        erasure.words(heard.iter().filter_map(|event| event.data.get(field)?.as_str()));
    }
    let events: Vec<_> = heard.iter().map(|event| event.event_id).collect();
    let runs = erasure::lock_runs(tx.conn(), &events).await?;
    erasure.removed("plans and faults of runs", erasure::empty_runs(tx.conn(), &events).await?);
    for mut run in runs {
        run.error = None;
        if run.outcome == Outcome::Waiting {
            let why = "whom it is about was forgotten";
            give_up(tx, &mut run, Outcome::Cancelled, ApprovalStatus::Withdrawn, why).await?;
            run::update(tx.conn(), &run).await?;
        }
    }
    erasure.removed("events", heard::remove_about(tx.conn(), &erasure.names()).await?);
    let events = erasure.delete_telling(tx.conn(), Column::json("heard_events", "data")).await?;
    erasure.removed("events", events);
    Ok(())
}

async fn tasks(tx: &mut Tx, erasure: &mut Erasure) -> Result<(), DieselError> {
    let now = tx.now();
    let ids = erasure::unname_tasks(tx.conn(), &erasure.names(), now).await?;
    erasure.removed("texts of tasks", ids.len());
    erasure.kept("tasks", ids.len(), DONE);
    let reviews = erasure::silence_reviews(tx.conn(), &ids).await?;
    let mut earlier: Vec<_> = reviews.iter().map(|id| format!("review/{id}")).collect();
    for id in ids {
        earlier.push(format!("task/{id}"));
        let Some(before) = task::lock(tx.conn(), id).await? else { continue };
        if !before.status.is_over()
            && let Ok(status) = before.status.become_(TaskStatus::Cancelled)
        {
            let mut after = before.clone();
            after.status = status;
            save_task(tx, &before, after, Some("whom it is about was forgotten".to_owned())).await?;
        }
    }
    erasure.forget_history(tx.conn(), &earlier).await
}

/// Customers are users, or are called as the module that knows them calls them.
async fn feedback(tx: &mut Tx, erasure: &mut Erasure) -> Result<(), DieselError> {
    let customers = [erasure.names(), erasure.plain(), erasure.ids("user")].concat();
    let now = tx.now();
    let ids = erasure::unname_feedback(tx.conn(), &customers, now).await?;
    erasure.kept("ratings", ids.len(), RATINGS);
    let earlier: Vec<_> = ids.iter().map(|id| format!("feedback/{id}")).collect();
    erasure.forget_history(tx.conn(), &earlier).await
}

/// Of a user: what they did.
async fn work(tx: &mut Tx, erasure: &mut Erasure) -> Result<(), DieselError> {
    let users: Vec<String> = erasure.ids("user");
    if users.is_empty() {
        return Ok(());
    }
    let work = erasure::unname_work(tx.conn(), &users).await?;
    erasure.removed("tasks, reviews and answers that were theirs", work);
    let workflows = erasure::count_workflows(tx.conn(), &users).await?;
    erasure.kept("workflows", workflows, NAMED);
    Ok(())
}

async fn texts(tx: &mut Tx, erasure: &mut Erasure) -> Result<(), DieselError> {
    let lists = [Column::list("tasks", "labels"), Column::list("workflow_runs", "effects")];
    let json = [
        Column::json("tasks", "checklist"),
        Column::json("recurring_tasks", "task"),
        Column::json("workflow_runs", "steps"),
        Column::json("workflow_runs", "plan"),
    ];
    let texts = TEXTS.map(|(table, column)| Column::text(table, column));
    for column in texts.into_iter().chain(json).chain(lists) {
        let redacted = erasure.redact(tx.conn(), column).await?;
        erasure.removed("texts", redacted);
    }
    let states = erasure.redact_history(tx.conn()).await?;
    erasure.removed("earlier states", states);
    Ok(())
}
