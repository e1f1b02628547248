//! Rules, and what they make of an event.

pub mod draft;
pub mod flip;
mod reads;
mod schema;
mod steps;

use std::collections::BTreeMap;

use cedar_policy::{
    AuthorizationError, Authorizer, Decision, Effect, Entities, Policy, PolicyId, PolicySet, Request,
};
use reads::Reads;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What became of a judgement.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, strum::Display, strum::EnumString,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Verdict {
    /// A policy permits it, and none forbids it.
    Compliant,
    /// A policy forbids it, or none permits it.
    Violation,
}

/// A policy that decided a verdict, as it was then.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Rule {
    /// Id of the policy.
    pub id: String,
    /// Its version then; null in verdicts of before versions were kept.
    #[serde(default)]
    pub version: Option<i64>,
    /// What it says, in plain words.
    pub says: String,
}

/// The policies that decided a verdict; none when no policy permitted it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Rules(pub Vec<Rule>);

/// A policy that could not be evaluated, and so had no part in the verdict.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PolicyError {
    /// Id of the policy.
    pub policy: String,
    /// Why it could not be evaluated.
    pub error: String,
}

/// The policies that could not be evaluated.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PolicyErrors(pub Vec<PolicyError>);

/// A verdict and where it comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// What became of it.
    pub verdict: Verdict,
    /// What decided it.
    pub rules: Rules,
    /// What should have had a part in it and could not.
    pub errors: PolicyErrors,
}

/// A policy as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyText {
    /// Its id.
    pub id: String,
    /// Which version of it.
    pub version: i64,
    /// What it says, in plain words.
    pub says: String,
    /// What it says in Cedar.
    pub cedar: String,
}

/// Policies, ready to judge.
#[derive(Debug, Default)]
pub struct Policies {
    readable: PolicySet,
    known: BTreeMap<String, Meaning>,
    unreadable: Vec<PolicyError>,
}

/// What is known of a policy beside its Cedar.
#[derive(Debug)]
struct Meaning {
    version: i64,
    says: String,
    effect: Effect,
    reads: Reads,
}

impl Policies {
    /// Reads policies. One that cannot be read spoils nothing but itself: every judgement names it.
    pub fn read(texts: &[PolicyText]) -> Self {
        let mut this = Self::default();
        for PolicyText { id, version, says, cedar } in texts {
            let policy = Policy::parse(Some(PolicyId::new(id)), cedar).map_err(|error| error.to_string());
            let added = policy.and_then(|policy| {
                let (effect, reads) = (policy.effect(), Reads::of(&policy));
                this.readable.add(policy).map_err(|error| error.to_string())?;
                Ok(Meaning { version: *version, says: says.clone(), effect, reads })
            });
            match added {
                Ok(meaning) => drop(this.known.insert(id.clone(), meaning)),
                Err(error) => this.unreadable.push(PolicyError { policy: id.clone(), error }),
            }
        }
        this
    }

    /// Judges: forbidden is what one policy forbids, permitted what one permits and none forbids.
    pub fn judge(&self, request: &Request) -> Judgement {
        let response = Authorizer::new().is_authorized(request, &self.readable, &Entities::empty());
        let verdict = match response.decision() {
            Decision::Allow => Verdict::Compliant,
            Decision::Deny => Verdict::Violation,
        };
        let mut rules: Vec<_> = response.diagnostics().reason().map(|id| self.rule(id)).collect();
        rules.sort_by(|one, other| one.id.cmp(&other.id));
        let mut errors = self.unreadable.clone();
        errors.extend(response.diagnostics().errors().map(policy_error));
        errors.sort_by(|one, other| one.policy.cmp(&other.policy));
        Judgement { verdict, rules: Rules(rules), errors: PolicyErrors(errors) }
    }

    fn rule(&self, id: &PolicyId) -> Rule {
        let id: &str = id.as_ref();
        let meaning = self.known.get(id);
        Rule {
            id: id.to_owned(),
            version: meaning.map(|meaning| meaning.version),
            says: meaning.map(|meaning| meaning.says.clone()).unwrap_or_default(),
        }
    }

    /// What the policies ask for that decided a judgement; when none did, those that might have permitted it.
    fn determining(&self, judgement: &Judgement) -> Reads {
        let Rules(rules) = &judgement.rules;
        let decided = |id: &String, meaning: &Meaning| match rules.as_slice() {
            [] => meaning.effect == Effect::Permit,
            rules => rules.iter().any(|rule| rule.id == *id),
        };
        let mut reads = Reads::default();
        for (_, meaning) in self.known.iter().filter(|(id, meaning)| decided(id, meaning)) {
            reads.and(&meaning.reads);
        }
        reads
    }
}

fn policy_error(error: &AuthorizationError) -> PolicyError {
    let AuthorizationError::PolicyEvaluationError(error) = error;
    let id: &str = error.policy_id().as_ref();
    PolicyError { policy: id.to_owned(), error: error.inner().to_string() }
}

#[cfg(test)]
mod tests {
    use bhiv_events::crm::LeadUpdated;
    use bhiv_events::{Contract as _, Event};
    use uuid::Uuid;

    use super::*;
    use crate::domain::context::{Known, request};

    const PERMIT: (&str, &str) = ("yes", "permit(principal, action, resource);");

    fn judged(policies: &[(&str, &str)]) -> Judgement {
        let text = |(id, cedar): &(&str, &str)| PolicyText {
            id: (*id).to_owned(),
            version: 3,
            says: format!("{id}!"),
            cedar: (*cedar).to_owned(),
        };
        let texts: Vec<_> = policies.iter().map(text).collect();
        let event = Event::around(Uuid::from_u128(1), &LeadUpdated::sample());
        Policies::read(&texts).judge(&request(&event, &Known::default()).unwrap())
    }

    fn ids(rules: &Rules) -> Vec<&str> {
        rules.0.iter().map(|rule| rule.id.as_str()).collect()
    }

    #[test]
    fn a_permission_decides_until_something_forbids() {
        let good = judged(&[PERMIT]);
        let rules = Rules(vec![Rule { id: "yes".to_owned(), version: Some(3), says: "yes!".to_owned() }]);
        assert_eq!((good.verdict, &good.rules), (Verdict::Compliant, &rules));

        let no = "forbid(principal, action == Action::\"lead_updated\", resource);";
        let bad = judged(&[PERMIT, ("no \"b\"", no), ("no a", no)]);
        assert_eq!((bad.verdict, ids(&bad.rules)), (Verdict::Violation, vec!["no \"b\"", "no a"]));
        assert_eq!(bad.rules.0[0].says, "no \"b\"!");
        assert_eq!(bad.errors, PolicyErrors::default());
    }

    #[test]
    fn what_nothing_permits_is_a_violation_without_rules() {
        let judgement = judged(&[]);
        assert_eq!((judgement.verdict, judgement.rules), (Verdict::Violation, Rules::default()));
    }

    #[test]
    fn a_policy_that_cannot_be_evaluated_is_named_and_decides_nothing() {
        let broken = "forbid(principal, action, resource) when { context.data.colour == \"red\" };";
        let judgement = judged(&[PERMIT, ("slip", "forbid(principal);"), ("broken", broken)]);
        assert_eq!((judgement.verdict, ids(&judgement.rules)), (Verdict::Compliant, vec!["yes"]));
        let named: Vec<_> = judgement.errors.0.iter().map(|error| error.policy.as_str()).collect();
        assert_eq!(named, ["broken", "slip"]);
        assert!(judgement.errors.0[0].error.contains("colour"), "{:?}", judgement.errors);
    }
}
