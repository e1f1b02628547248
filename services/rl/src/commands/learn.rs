use bhiv_db::DieselError;
use bhiv_outbox::Tx;

use crate::domain::reward::Reward;
use crate::events;
use crate::store::decision::{self, Decision};
use crate::store::policy;

/// Gives a decision its outcome, lets its policy learn from it, and tells of it: a part of other commands.
/// Answers the decision before and after, or nothing if it has an outcome already, or is gone.
///
/// The policy is locked first, so whoever waits for it holds no decision that another one wants.
pub async fn learn(
    tx: &mut Tx,
    found: &Decision,
    reward: Reward,
    comment: Option<String>,
) -> Result<Option<(Decision, Decision)>, DieselError> {
    let Some(mut row) = policy::lock(tx.conn(), &found.kind).await? else { return Ok(None) };
    let before = decision::lock(tx.conn(), found.id).await?;
    let Some(before) = before.filter(|decision| decision.reward.is_none()) else { return Ok(None) };

    let learner = policy::learner(tx.conn(), &row).await?;
    let mut policy = row.policy(learner);
    policy.learn(&decision::example(tx.conn(), before.id).await?, reward);
    row.statistics = Some(policy.learner.statistics());
    row.observations = policy.learner.examples();
    row.version += 1;
    row.updated_at = tx.now();
    policy::update(tx.conn(), &row).await?;

    let after = Decision {
        version: before.version + 1,
        reward: Some(reward.get()),
        comment,
        rewarded_at: Some(tx.now()),
        ..before.clone()
    };
    decision::update(tx.conn(), &after).await?;
    tx.continue_story(after.correlation_id);
    events::outcome_recorded(tx, &after, reward.get(), row.version);
    Ok(Some((before, after)))
}
