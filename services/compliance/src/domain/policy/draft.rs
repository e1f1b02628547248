//! What people write as policies.

use cedar_policy::{Policy, PolicyId, PolicySet, ValidationMode, Validator};
use miette::Diagnostic;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::schema::schema;

/// A policy is written. It judges nothing until it is enabled.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPolicy {
    /// Its id, words that tell what it is about, for example `lead-needs-consent`.
    #[schema(pattern = "^[a-z0-9]+(-[a-z0-9]+)*$", max_length = 100)]
    pub id: String,
    /// What it says, in plain words.
    #[schema(min_length = 1, max_length = 500)]
    pub says: String,
    /// What it says in Cedar: one policy.
    #[schema(min_length = 1, max_length = 20000)]
    pub cedar: String,
    /// Whether events are judged by it.
    #[serde(default)]
    pub enabled: bool,
}

/// A policy changes: it gets a new version.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PolicyChange {
    /// What it says, in plain words.
    #[schema(min_length = 1, max_length = 500)]
    pub says: Option<String>,
    /// What it says in Cedar: one policy.
    #[schema(min_length = 1, max_length = 20000)]
    pub cedar: Option<String>,
    /// Whether events are judged by it.
    pub enabled: Option<bool>,
}

/// Something that is wrong with the text of a policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyFault {
    /// Its line, from 1.
    pub line: usize,
    /// Its column in that line, in letters, from 1.
    pub column: usize,
    /// What is wrong.
    pub message: String,
}

/// A text is no policy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the policy cannot be used: {}", .0.first().map_or("", |fault| &fault.message))]
pub struct InvalidPolicy(pub Vec<PolicyFault>);

/// Sees whether a text is one policy in Cedar that asks for what events have, as what they have it.
///
/// # Errors
/// When it is not, with everything that is wrong.
pub fn check(cedar: &str) -> Result<(), InvalidPolicy> {
    let at_begin = |message: String| InvalidPolicy(vec![PolicyFault { line: 1, column: 1, message }]);
    let policy = Policy::parse(Some(PolicyId::new("draft")), cedar)
        .map_err(|errors| InvalidPolicy(errors.iter().map(|error| fault(cedar, error)).collect()))?;
    let mut set = PolicySet::new();
    set.add(policy).map_err(|error| at_begin(error.to_string()))?;
    let validator = Validator::new(schema().map_err(at_begin)?.clone());
    let result = validator.validate(&set, ValidationMode::Strict);
    let mut faults: Vec<_> = result.validation_errors().map(|error| fault(cedar, error)).collect();
    if faults.is_empty() {
        // A warning says for example that it can never apply, which nobody wants to say.
        faults.extend(result.validation_warnings().map(|warning| fault(cedar, warning)));
    }
    faults.sort_by_key(|fault| (fault.line, fault.column));
    // It is checked for each event that it may be about; what is wrong for all of them is said once.
    faults.dedup();
    if faults.is_empty() { Ok(()) } else { Err(InvalidPolicy(faults)) }
}

fn fault(cedar: &str, error: &dyn Diagnostic) -> PolicyFault {
    let offset = error.labels().and_then(|mut labels| labels.next()).map_or(0, |label| label.offset());
    let before = cedar.get(..offset).unwrap_or(cedar);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    // Errors name the policy, which has no other name yet.
    let message = error.to_string().replace("for policy `draft`, ", "");
    let message = match error.help() {
        Some(help) => format!("{message}; {help}"),
        None => message,
    };
    PolicyFault { line, column, message }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(cedar: &str) -> Vec<PolicyFault> {
        check(cedar).unwrap_err().0
    }

    #[test]
    fn what_asks_for_what_events_have_is_a_policy() {
        for cedar in [
            "permit (principal, action, resource);",
            "forbid (principal, action == Action::\"order_created\", resource)
             when { context.numbers has total && context.numbers.total.greaterThan(decimal(\"5.0\")) };",
            "forbid (principal == Actor::\"user/ravi\", action in [Action::\"lead_created\"], resource)
             unless { context.data has company && context.data.company like \"*Textiles\"
                 || context.consented.contains(\"contact\") };",
        ] {
            assert_eq!(check(cedar), Ok(()), "{cedar}");
        }
    }

    #[test]
    fn what_is_wrong_has_a_place() {
        let place = |cedar: &str| faults(cedar).iter().map(|f| (f.line, f.column)).collect::<Vec<_>>();
        assert_eq!(place("forbid (principal, action, resource)\nwhen { 1 == };"), [(2, 13)]);
        assert_eq!(place("permit (principal, action == Action::\"lead_lost\", resource);"), [(1, 30)]);
        let unknown = "forbid (principal, action == Action::\"order_created\", resource)\n\
                       when {\n    // é\n    context.data.colour == \"red\" };";
        assert_eq!(place(unknown), [(4, 5)]);
        assert!(faults(unknown)[0].message.contains("colour"), "{:?}", faults(unknown));
        let mistyped = "forbid (principal, action == Action::\"order_created\", resource)\n\
                        when { context.data.currency > 5 };";
        assert_eq!(place(mistyped), [(2, 8)]);
        assert!(
            !faults("permit (principal, action, resource); permit (principal, action, resource);").is_empty()
        );
    }

    #[test]
    fn what_may_be_missing_has_to_be_asked_for_first() {
        let cedar = "forbid (principal, action == Action::\"order_created\", resource)\n\
                     when { context.data.opportunity_id == \"x\" };";
        let faults = faults(cedar);
        assert!(faults[0].message.contains("opportunity_id"), "{faults:?}");
        assert!(faults.iter().all(|fault| !fault.message.contains("draft")), "{faults:?}");
    }
}
