use bhiv_outbox::{Fault, Refusal, Tx};

use crate::domain::decision::Candidate;
use crate::domain::facts::Facts;
use crate::domain::ids::DecisionId;
use crate::store::Json;
use crate::store::decision::{self, Decision};
use crate::store::policy;

/// What is to be decided.
#[derive(Debug)]
pub struct Question {
    /// What kind of decision.
    pub kind: String,
    /// What it is about.
    pub reference: Option<String>,
    /// The question in words.
    pub query: String,
    /// What is known of the situation.
    pub context: Facts,
    /// What can be chosen; if nothing, the default actions of the kind.
    pub candidates: Vec<Candidate>,
}

/// Why nothing is decided.
#[derive(Debug, thiserror::Error)]
pub enum DecideError {
    #[error("there is no kind of decision '{kind}'; there are {}", known.join(", "))]
    UnknownKind {
        /// The kind that was asked for.
        kind: String,
        /// Those that there are.
        known: Vec<String>,
    },
    #[error("there is nothing to choose among, and '{0}' has no actions of its own")]
    NoCandidates(String),
}

impl Refusal for DecideError {}

/// Lets the policy of its kind decide a question, and keeps the decision: a part of other commands, which
/// tell of it.
pub async fn decide(tx: &mut Tx, question: Question) -> Result<Decision, Fault<DecideError>> {
    let Question { kind, reference, query, context, mut candidates } = question;
    let Some(row) = policy::find(tx.conn(), &kind).await? else {
        let known = policy::kinds(tx.conn()).await?;
        return Err(DecideError::UnknownKind { kind, known }.into());
    };
    if candidates.is_empty() {
        candidates.extend(row.default_actions.0.iter().cloned().map(Candidate::from));
    }
    let learner = policy::learner(tx.conn(), &row).await?;
    let choice = row.policy(learner).choose(&context, &candidates, tx.chance());
    let choice = choice.ok_or_else(|| DecideError::NoCandidates(kind.clone()))?;
    let decision = Decision {
        id: DecisionId(tx.id()),
        version: 1,
        correlation_id: tx.correlation(),
        kind,
        reference,
        query,
        context: Json(context),
        candidates: Json(choice.candidates),
        action: choice.chosen.action,
        propensity: choice.chosen.propensity,
        score: choice.chosen.score,
        confidence: choice.confidence,
        reasoning: choice.reasoning,
        policy_version: row.version,
        reward: None,
        comment: None,
        rewarded_at: None,
        actor: tx.actor().to_owned(),
        created_at: tx.now(),
    };
    decision::insert(tx.conn(), &decision, &choice.example).await?;
    Ok(decision)
}
