use bhiv_outbox::{Command, Fault, Refusal, Tx};

use super::advance_run::{advance, done, save, stop};
use super::{caller, end_approval::end_approval};
use crate::domain::approval::{Answer, ApprovalStatus, Decision};
use crate::domain::ids::ApprovalId;
use crate::domain::run::{Outcome, StepStatus};
use crate::store::approval::{self, Approval};
use crate::store::run;

/// Somebody answers a workflow: it goes on, or ends.
#[derive(Debug)]
pub struct DecideApproval {
    /// Which question.
    pub id: ApprovalId,
    /// What they say.
    pub decision: Decision,
    /// Whether they may answer what others are asked.
    pub is_admin: bool,
}

/// Why it does not count.
#[derive(Debug, thiserror::Error)]
pub enum DecideApprovalError {
    #[error("there is no approval {0}")]
    NotFound(ApprovalId),
    #[error("others are asked: {}", .0.join(", "))]
    NotAsked(Vec<String>),
    #[error("it is {0}")]
    Decided(ApprovalStatus),
}

impl Refusal for DecideApprovalError {}

impl Command for DecideApproval {
    type Output = Approval;
    type Refusal = DecideApprovalError;

    async fn run(&self, tx: &mut Tx) -> Result<Approval, Fault<DecideApprovalError>> {
        let approval = approval::find(tx.conn(), self.id).await?;
        let approval = approval.ok_or(DecideApprovalError::NotFound(self.id))?;
        let who = caller(tx);
        if !self.is_admin && !approval.approvers.contains(&who) {
            return Err(DecideApprovalError::NotAsked(approval.approvers).into());
        }
        tx.continue_story(approval.correlation_id);
        let run = run::lock(tx.conn(), approval.run_id).await?;
        let plan = run::plan(tx.conn(), approval.run_id).await?;
        let Decision { decision, comment } = self.decision.clone();
        let ended = match approval.status {
            ApprovalStatus::Pending => {
                end_approval(tx, approval.run_id, decision.status(), Some(who.clone()), comment).await?
            }
            _ => None,
        };
        let (Some(after), Some(mut run), Some(plan)) = (ended, run, plan) else {
            let now = approval::find(tx.conn(), self.id).await?.unwrap_or(approval);
            return Err(DecideApprovalError::Decided(now.status).into());
        };
        tx.audit("approval.decide", format!("approval/{}", after.id), Some(&approval), Some(&after));
        match decision {
            Answer::Approved => {
                done(&mut run, format!("approved by {who} as approval/{}", after.id), tx.now());
                advance(tx, &mut run, &plan).await?;
            }
            Answer::Rejected => {
                let why = format!("rejected by {who} as approval/{}", after.id);
                stop(&mut run, Outcome::Rejected, StepStatus::Rejected, &why, tx.now());
            }
        }
        save(tx, &run, &plan).await?;
        Ok(after)
    }
}
