//! An event as a question to the policies: may this actor do that to this subject?
//!
//! | in a policy | what it is |
//! |---|---|
//! | `principal` | `Actor::"user/ravi"`, who caused the event |
//! | `action` | `Action::"lead_created"`, the event's public name |
//! | `resource` | `Subject::"lead/0190..."`, what the event is about |
//! | `context.id`, `.type`, `.source`, `.correlationid`, `.causationid`, `.sequence` | of the event |
//! | `context.time` | of the event, a `datetime` |
//! | `context.data` | the event's data; what is null is not there |
//! | `context.numbers` | the numbers of the data, amounts of money too, each a `decimal` |
//! | `context.person` | the person that the event is about, if it says so: `"lead/0190..."` |
//! | `context.consented`, `.refused`, `.withdrawn` | sets of purposes: what the person last said to each |
//! | `context.expired` | those of `.withdrawn` to which the consent ended by itself |

use bhiv_events::Event;
use bhiv_types::Purpose;
use cedar_policy::{Context, EntityId, EntityUid, Request, RestrictedExpression};
use chrono::SecondsFormat;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::consent::ConsentState;
use super::values::{numbers, text_value, value};

/// What compliance knows that the event does not say.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Known {
    /// The person that the event is about.
    pub person: Option<String>,
    /// What they last said to each purpose.
    pub consents: Vec<(Purpose, ConsentState)>,
}

/// An event cannot be put before the policies, as when its time is none that Cedar knows.
#[derive(Debug, thiserror::Error)]
#[error("the event cannot be judged: {0}")]
pub struct Unjudgeable(String);

/// The person that `event` is about, if its subject or its data names one.
pub fn person(event: &Event) -> Option<String> {
    let is_lead = |text: &&str| text.starts_with("lead/");
    let field = |name| event.data.get(name).and_then(Value::as_str);
    let lead = || field("lead_id").map(|id| format!("lead/{id}"));
    let named = Some(event.subject.as_str()).filter(is_lead).or_else(|| field("reference").filter(is_lead));
    named.map(str::to_owned).or_else(lead)
}

/// The question that `event` is, as the table above has it.
///
/// # Errors
/// When the event cannot be put before the policies.
pub fn request(event: &Event, known: &Known) -> Result<Request, Unjudgeable> {
    let principal = entity("Actor", &event.actor)?;
    let action = entity("Action", &event.name())?;
    let resource = entity("Subject", &event.subject)?;
    let context = Context::from_pairs(facts(event, known)?).map_err(unjudgeable)?;
    Request::new(principal, action, resource, context, None).map_err(unjudgeable)
}

fn facts(event: &Event, known: &Known) -> Result<Vec<(String, RestrictedExpression)>, Unjudgeable> {
    let purposes = |states: &[ConsentState]| {
        let said = known.consents.iter().filter(|(_, said)| states.contains(said));
        RestrictedExpression::new_set(said.map(|(purpose, _)| text_value(purpose.as_str())))
    };
    let time = event.time.to_rfc3339_opts(SecondsFormat::Millis, true);
    let facts = [
        ("id", Some(text_value(&event.id.to_string()))),
        ("type", Some(text_value(&event.type_))),
        ("source", Some(text_value(&event.source))),
        ("time", Some(RestrictedExpression::new_datetime(time))),
        ("correlationid", Some(text_value(&event.correlationid.to_string()))),
        ("causationid", event.causationid.map(|id| text_value(&id.to_string()))),
        ("sequence", Some(RestrictedExpression::new_long(event.sequence))),
        ("data", value(&event.data).map_err(unjudgeable)?),
        ("numbers", numbers(&event.data).map_err(unjudgeable)?),
        ("person", known.person.as_deref().map(text_value)),
        ("consented", Some(purposes(&[ConsentState::Granted]))),
        ("refused", Some(purposes(&[ConsentState::Refused]))),
        ("withdrawn", Some(purposes(&[ConsentState::Withdrawn, ConsentState::Expired]))),
        ("expired", Some(purposes(&[ConsentState::Expired]))),
    ];
    Ok(facts.into_iter().filter_map(|(name, fact)| Some((name.to_owned(), fact?))).collect())
}

fn entity(kind: &str, id: &str) -> Result<EntityUid, Unjudgeable> {
    Ok(EntityUid::from_type_name_and_id(kind.parse().map_err(unjudgeable)?, EntityId::new(id)))
}

fn unjudgeable(error: impl std::fmt::Display) -> Unjudgeable {
    Unjudgeable(error.to_string())
}

#[cfg(test)]
mod tests {
    use bhiv_events::core::UnifiedReceived;
    use bhiv_events::crm::{LeadUpdated, OpportunityCreated};
    use bhiv_events::task::TaskCreated;
    use bhiv_events::{Contract, catalog};
    use uuid::Uuid;

    use super::super::policy::{Policies, PolicyText, Verdict};
    use super::*;

    fn event<C: Contract>(data: &C) -> Event {
        Event::around(Uuid::from_u128(7), data)
    }

    fn holds(event: &Event, known: &Known, condition: &str) -> bool {
        let policy = format!("permit(principal, action, resource) when {{ {condition} }};");
        let text = PolicyText { id: "p".to_owned(), version: 1, says: String::new(), cedar: policy };
        let judgement = Policies::read(&[text]).judge(&request(event, known).unwrap());
        assert_eq!(judgement.errors.0, [], "{condition}");
        judgement.verdict == Verdict::Compliant
    }

    #[test]
    fn a_policy_sees_the_event() {
        let event = event(&OpportunityCreated::sample());
        for condition in [
            r#"principal == Actor::"user/sample" && action == Action::"opportunity_created""#,
            "resource is Subject",
            r#"context.type == "bhiv.crm.opportunity.created.v1" && context.source == "/bhiv/crm""#,
            r#"context.time == datetime("2026-01-01") && context.sequence == 1"#,
            r#"context.data.currency == "INR" && !(context has causationid) && !(context has person)"#,
            r#"context.numbers.value == decimal("25000.0") && context.data.value == "25000.00""#,
            r#"context.numbers.probability.lessThan(decimal("0.5"))"#,
        ] {
            assert!(holds(&event, &Known::default(), condition), "{condition}");
        }
    }

    #[test]
    fn a_policy_sees_what_the_person_said() {
        let said = |purpose: &str, state| (purpose.parse().unwrap(), state);
        let consents = vec![
            said("contact", ConsentState::Granted),
            said("profiling", ConsentState::Refused),
            said("newsletter", ConsentState::Withdrawn),
            said("marketing", ConsentState::Expired),
        ];
        let known = Known { person: Some("lead/1".to_owned()), consents };
        let condition = r#"context.person == "lead/1" && context.consented == ["contact"]
            && context.refused == ["profiling"] && context.withdrawn == ["newsletter", "marketing"]
            && context.expired == ["marketing"]"#;
        assert!(holds(&event(&LeadUpdated::sample()), &known, condition));
        assert!(!holds(&event(&LeadUpdated::sample()), &Known::default(), "context has person"));
    }

    #[test]
    fn the_person_is_found_in_subject_and_data() {
        let lead = LeadUpdated::sample();
        let expected = Some(format!("lead/{}", lead.lead_id));
        assert_eq!(person(&event(&lead)), expected);
        assert_eq!(person(&event(&OpportunityCreated::sample())), expected);
        assert_eq!(person(&event(&TaskCreated::sample())), expected);
        assert_eq!(person(&event(&UnifiedReceived::sample())), None);
        let reference = Some("order/1".to_owned());
        assert_eq!(person(&event(&TaskCreated { reference, ..TaskCreated::sample() })), None);
    }

    #[test]
    fn every_contract_can_be_put_before_the_policies() {
        for entry in catalog() {
            request(&(entry.sample)(Uuid::nil()), &Known::default()).unwrap();
        }
    }
}
