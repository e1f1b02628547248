use bhiv_db::DieselError;
use bhiv_outbox::Tx;
use chrono::{DateTime, Utc};

use crate::domain::ids::DecisionId;
use crate::domain::parts::{Parts, compose, is_complete};
use crate::domain::reward::Reward;
use crate::events;
use crate::store::decision::{self, Decision};
use crate::store::policy;

/// What was told of how a decision turned out.
#[derive(Clone, Debug)]
pub enum Told {
    /// All of it.
    Reward(Reward),
    /// Parts of it.
    Parts(Parts),
    /// A part of it, which is all of it for a kind of decision whose rewards have no parts, if it may stand `alone`. It
    /// is of no interest where it does not count, or is known already.
    News {
        /// Which part.
        part: &'static str,
        /// How good it is.
        reward: Reward,
        /// Whether it may be all.
        alone: bool,
    },
}

/// What came of it.
#[derive(Debug)]
pub enum Settled {
    /// It changed the decision: before, after.
    Changed(Box<(Decision, Decision)>),
    /// There is no such decision.
    Missing,
    /// It is closed.
    Closed(Box<Decision>),
    /// This part is known already.
    Known(String),
    /// Its rewards have other parts.
    Unknown {
        /// The part told.
        part: String,
        /// Those that count.
        known: Vec<String>,
    },
    /// It is of no interest.
    Ignored,
}

/// Tells a decision how it turned out, and closes it once all is known: a part of other commands. Its policy learns
/// from it later.
pub async fn settle(
    tx: &mut Tx,
    id: DecisionId,
    told: Told,
    comment: Option<String>,
) -> Result<Settled, DieselError> {
    let Some(before) = decision::lock(tx.conn(), id).await? else { return Ok(Settled::Missing) };
    if before.closed_at.is_some() {
        return Ok(Settled::Closed(Box::new(before)));
    }
    let row = policy::find(tx.conn(), &before.kind).await?;
    let weights = row.map(|row| row.settings.0.parts).unwrap_or_default();
    let mut after = Decision { version: before.version + 1, ..before.clone() };
    let reward = match told {
        Told::Reward(reward) => Some(reward),
        Told::News { reward, alone, .. } if weights.is_empty() => {
            if !alone {
                return Ok(Settled::Ignored);
            }
            Some(reward)
        }
        Told::News { part, reward, .. } => {
            if !weights.contains_key(part) || before.parts.0.contains_key(part) {
                return Ok(Settled::Ignored);
            }
            after.parts.0.insert(part.to_owned(), reward);
            None
        }
        Told::Parts(parts) => {
            for (part, reward) in parts {
                if !weights.contains_key(&part) {
                    return Ok(Settled::Unknown { part, known: weights.into_keys().collect() });
                }
                if after.parts.0.insert(part.clone(), reward).is_some() {
                    return Ok(Settled::Known(part));
                }
            }
            None
        }
    };
    let complete = is_complete(&weights, &after.parts.0).then(|| compose(&weights, &after.parts.0)).flatten();
    after.comment = comment.or(after.comment);
    if let Some(reward) = reward.or(complete) {
        let now = tx.now();
        close(&mut after, Some(reward), now);
    }
    decision::update(tx.conn(), &after).await?;
    tx.continue_story(after.correlation_id);
    tell(tx, &after);
    Ok(Settled::Changed(Box::new((before, after))))
}

/// Closes a decision, with a reward or without.
pub fn close(decision: &mut Decision, reward: Option<Reward>, now: DateTime<Utc>) {
    decision.reward = reward.map(Reward::get);
    decision.rewarded_at = reward.map(|_| now);
    decision.closed_at = Some(now);
}

/// Tells of the reward, if there is one.
pub fn tell(tx: &mut Tx, decision: &Decision) {
    if let Some(reward) = decision.reward {
        events::outcome_recorded(tx, decision, reward);
    }
}
