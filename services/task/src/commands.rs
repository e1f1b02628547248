//! What task can be asked to do. Each command acts inside the transaction that it is given: load, decide,
//! store, record.

pub mod add_task;
pub mod create_feedback;
pub mod create_task;
pub mod create_workflow;
pub mod delete_workflow;
pub mod escalate_tasks;
pub mod patch_feedback;
pub mod patch_task;
pub mod patch_workflow;
pub mod run_workflows;
pub mod save_task;

use bhiv_outbox::Tx;

/// The id of the user who acts.
fn caller(tx: &Tx) -> String {
    tx.actor().trim_start_matches("user/").to_owned()
}
