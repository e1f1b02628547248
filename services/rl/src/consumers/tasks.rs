use bhiv_events::Event;
use bhiv_events::task::{TaskCompleted, TaskOverdue};
use bhiv_outbox::{Command as _, Failure, Handle, Tx};
use uuid::Uuid;

use crate::commands::reward_newest::RewardNewest;
use crate::commands::settle::Told;
use crate::domain::reward::Reward;

/// task_overdue -> whoever was chosen for it did not do it in time.
pub struct RewardTheOverdue;

impl Handle<TaskOverdue> for RewardTheOverdue {
    async fn handle(&self, tx: &mut Tx, _: &Event, task: TaskOverdue) -> Result<(), Failure> {
        reward(tx, task.task_id, &[("time", Reward::WORST)]).await
    }
}

/// task_completed -> whoever was chosen for it did it; in time, unless it was overdue before.
pub struct RewardTheCompleted;

impl Handle<TaskCompleted> for RewardTheCompleted {
    async fn handle(&self, tx: &mut Tx, _: &Event, task: TaskCompleted) -> Result<(), Failure> {
        reward(tx, task.task_id, &[("time", Reward::BEST), ("success", Reward::BEST)]).await
    }
}

async fn reward(tx: &mut Tx, task_id: Uuid, parts: &[(&'static str, Reward)]) -> Result<(), Failure> {
    for (part, reward) in parts {
        let told = Told::News { part, reward: *reward, alone: false };
        RewardNewest { reference: format!("task/{task_id}"), kinds: &[], told }.run(tx).await?;
    }
    Ok(())
}
