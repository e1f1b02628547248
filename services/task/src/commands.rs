//! What task can be asked to do. Each command acts inside the transaction that it is given: load, decide,
//! store, record.

pub mod add_task;
pub mod advance_run;
pub mod cancel_run;
pub mod create_feedback;
pub mod create_review;
pub mod create_task;
pub mod create_workflow;
pub mod decide_approval;
pub mod delete_workflow;
pub mod end_approval;
pub mod erase_person;
pub mod forget_events;
pub mod move_tasks;
pub mod patch_feedback;
pub mod patch_task;
pub mod patch_workflow;
pub mod promise;
pub mod recur;
pub mod retry_run;
pub mod run_workflows;
pub mod save_task;
pub mod tell_overdue;
pub mod tell_receiver;
pub mod wake_runs;
pub mod watch_tasks;

use bhiv_outbox::Tx;

use crate::store::task::Task;

/// Notes a change of a task. What somebody asked for is audited; what task does by itself is told by its events.
fn note_change(tx: &mut Tx, action: &str, before: Option<&Task>, after: &Task) {
    let (entity, version) = (format!("task/{}", after.id), after.version);
    if tx.actor().starts_with("service/task") {
        tx.keep(action, entity, version, before, Some(after));
    } else {
        tx.change(action, entity, version, before, Some(after));
    }
}

/// The id of the user who acts.
fn caller(tx: &Tx) -> String {
    tx.actor().trim_start_matches("user/").to_owned()
}
