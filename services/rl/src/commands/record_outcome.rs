use bhiv_outbox::{Command, Fault, Refusal, Tx};

use super::settle::{Settled, Told, settle};
use crate::domain::decision::NewOutcome;
use crate::domain::ids::DecisionId;
use crate::store::decision::Decision;

/// Records how a decision turned out, or a part of it.
#[derive(Debug)]
pub struct RecordOutcome {
    /// Which decision.
    pub id: DecisionId,
    /// How it turned out.
    pub outcome: NewOutcome,
}

/// Why an outcome is not recorded.
#[derive(Debug, thiserror::Error)]
pub enum RecordOutcomeError {
    #[error("there is no decision {0}")]
    NotFound(DecisionId),
    #[error("decision {0} has its outcome already")]
    Exists(DecisionId),
    #[error("decision {0} is closed: its outcome is waited for no longer")]
    Closed(DecisionId),
    #[error("'{part}' of decision {id} is known already")]
    PartExists {
        /// Which decision.
        id: DecisionId,
        /// Which part.
        part: String,
    },
    #[error("such decisions are not rewarded for '{part}'; {}", named(known))]
    UnknownPart {
        /// The part told.
        part: String,
        /// Those that count.
        known: Vec<String>,
    },
    #[error("an outcome is either a reward or parts of one")]
    Unclear,
}

fn named(known: &[String]) -> String {
    if known.is_empty() {
        "their reward has no parts".to_owned()
    } else {
        format!("the parts are {}", known.join(", "))
    }
}

impl Refusal for RecordOutcomeError {}

impl Command for RecordOutcome {
    type Output = Decision;
    type Refusal = RecordOutcomeError;

    async fn run(&self, tx: &mut Tx) -> Result<Decision, Fault<RecordOutcomeError>> {
        let NewOutcome { reward, parts, comment } = self.outcome.clone();
        let told = match (reward, parts.is_empty()) {
            (Some(reward), true) => Told::Reward(reward),
            (None, false) => Told::Parts(parts),
            _ => return Err(RecordOutcomeError::Unclear.into()),
        };
        let id = self.id;
        match settle(tx, id, told, comment).await? {
            Settled::Changed(both) => {
                let (before, after) = *both;
                tx.audit("decision.outcome", format!("decision/{id}"), Some(&before), Some(&after));
                Ok(after)
            }
            Settled::Missing | Settled::Ignored => Err(RecordOutcomeError::NotFound(id).into()),
            Settled::Closed(decision) if decision.reward.is_some() => {
                Err(RecordOutcomeError::Exists(id).into())
            }
            Settled::Closed(_) => Err(RecordOutcomeError::Closed(id).into()),
            Settled::Known(part) => Err(RecordOutcomeError::PartExists { id, part }.into()),
            Settled::Unknown { part, known } => Err(RecordOutcomeError::UnknownPart { part, known }.into()),
        }
    }
}
