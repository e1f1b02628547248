use std::sync::Arc;

use bhiv_db::DieselError;
use bhiv_outbox::{Fault, Refusal, Tx};
use chrono::TimeDelta;

use crate::domain::decision::{Candidate, person};
use crate::domain::facts::Facts;
use crate::domain::ids::DecisionId;
use crate::domain::policy::Policy;
use crate::domain::rule::Mask;
use crate::domain::served::Served;
use crate::domain::settings::Settings;
use crate::store::decision::{self, Decision};
use crate::store::{Json, consent, policy, verdict};

/// What is to be decided.
#[derive(Debug)]
pub struct Question {
    /// What kind of decision.
    pub kind: String,
    /// What it is about.
    pub reference: Option<String>,
    /// The person whose data it is decided on; the lead that it is about, unless it says otherwise.
    pub subject: Option<String>,
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
    #[error("it is about a person who was erased: nothing may be decided on their data")]
    Erased,
    #[error("every candidate is forbidden")]
    AllMasked(Vec<Mask>),
}

impl Refusal for DecideError {}

/// Lets the policy of its kind decide a question, and keeps the decision: a part of other commands, which
/// tell of it.
pub async fn decide(
    tx: &mut Tx,
    served: &Served,
    question: Question,
) -> Result<Decision, Fault<DecideError>> {
    let Question { kind, reference, subject, query, context, mut candidates } = question;
    let Some(policy) = current(tx, served, &kind).await? else {
        let known = policy::kinds(tx.conn()).await?;
        return Err(DecideError::UnknownKind { kind, known }.into());
    };
    if candidates.is_empty() {
        candidates.extend(policy.default_actions.iter().cloned().map(Candidate::from));
    }
    if candidates.is_empty() {
        return Err(DecideError::NoCandidates(kind).into());
    }
    let subject = subject.or_else(|| person(reference.as_deref()));
    let about: Vec<_> = reference.iter().chain(&subject).cloned().collect();
    let masked = masks(tx, &policy.settings, &context, &candidates, &about).await?;
    candidates.retain(|candidate| masked.iter().all(|mask| mask.action != candidate.action));
    let Some(choice) = policy.choose(&context, &candidates, tx.chance()) else {
        return Err(DecideError::AllMasked(masked).into());
    };
    let window = TimeDelta::try_seconds(policy.settings.window_seconds).unwrap_or(TimeDelta::MAX);
    let decision = Decision {
        id: DecisionId(tx.id()),
        version: 1,
        correlation_id: tx.correlation(),
        kind,
        reference,
        subject,
        query,
        context: Json(context),
        candidates: Json(choice.candidates),
        masked: Json(masked),
        action: choice.chosen.action,
        propensity: choice.chosen.propensity,
        score: choice.chosen.score,
        confidence: choice.confidence,
        reasoning: choice.reasoning,
        mattered: Json(choice.mattered),
        mode: policy.mode.to_string(),
        policy_version: policy.version,
        parts: Json::default(),
        reward: None,
        comment: None,
        rewarded_at: None,
        closes_at: tx.now().checked_add_signed(window),
        closed_at: None,
        forgotten_at: None,
        actor: tx.actor().to_owned(),
        created_at: tx.now(),
    };
    decision::insert(tx.conn(), &decision, &choice.example).await?;
    Ok(decision)
}

/// The policy in memory; from the database the first time.
async fn current(tx: &mut Tx, served: &Served, kind: &str) -> Result<Option<Arc<Policy>>, DieselError> {
    if let Some(policy) = served.get(kind) {
        return Ok(Some(policy));
    }
    let Some(row) = policy::find(tx.conn(), kind).await? else { return Ok(None) };
    let policy = policy::serving(tx.conn(), &row).await?;
    Ok(Some(served.put(kind, row.version, policy)))
}

/// What forbids candidates, the first reason for each: rules, then verdicts of compliance on what it is about, then
/// consent that a person has withdrawn.
async fn masks(
    tx: &mut Tx,
    settings: &Settings,
    context: &Facts,
    candidates: &[Candidate],
    about: &[String],
) -> Result<Vec<Mask>, DieselError> {
    let violations = if settings.violation_masks.is_empty() || about.is_empty() {
        Vec::new()
    } else {
        verdict::about(tx.conn(), about).await?
    };
    let withdrawn = match &settings.consent {
        Some(needs) if !about.is_empty() => {
            consent::is_withdrawn(tx.conn(), about, needs.purpose.as_str()).await?.then_some(needs)
        }
        _ => None,
    };
    let mask = |action: &str, rule: &str, says: String| Mask {
        action: action.to_owned(),
        rule: rule.to_owned(),
        says,
    };
    let forbid = |candidate: &Candidate| {
        let action = &candidate.action;
        if let Some(rule) = settings.rules.iter().find(|rule| rule.forbids(context, candidate)) {
            return Some(mask(action, &rule.id, rule.says.clone()));
        }
        let violation = violations.first().filter(|_| settings.violation_masks.contains(action));
        if let Some(violation) = violation {
            let rules: Vec<_> = violation.rules.0.iter().map(|rule| rule.says.as_str()).collect();
            let says = format!("{} breaks a rule: {}", violation.event_type, rules.join("; "));
            return Some(mask(action, "compliance", says));
        }
        let needs = withdrawn.filter(|needs| needs.actions.is_empty() || needs.actions.contains(action))?;
        Some(mask(action, "consent", format!("Consent to '{}' was withdrawn", needs.purpose)))
    };
    Ok(candidates.iter().filter_map(forbid).collect())
}
