//! Whom a write is about, and who has said no to what.
//!
//! A person is named as compliance names them: `lead/0190...`, `user/ravi`. Consent is to a purpose:
//!
//! | purpose | withdrawn, it stops |
//! |---|---|
//! | `contact` | work on a lead: what compliance's rule `withdrawn-consent` calls a violation is not let in at all |
//! | `profiling` | decisions of the learner about the person |
//! | `streaming` | live events about the person |
//! | `processing` | all of these, and orders, tasks and reported events |
//!
//! What has never been said is not withdrawn. Granting consent, asking for erasure and reading are in no row, so
//! nothing stops them. Neither does a row stop writes that name no person (an opportunity's stage, a delivery):
//! whom those are about is known to their module alone, and compliance judges their events.

use std::collections::{BTreeSet, HashMap};

use serde_json::Value;
use uuid::Uuid;

use super::path::{matching, segments};

/// Who withdrew this has withdrawn everything.
const PROCESSING: &str = "processing";

/// Purpose of showing events as they happen.
const STREAMING: &str = "streaming";

/// How long a person's name is at most; compliance takes no longer ones.
const LONGEST: usize = 200;

/// A write that is about a person.
struct Rule {
    method: &'static str,
    path: &'static str,
    /// Where the person may be named.
    places: &'static [Place],
    purpose: &'static str,
}

/// Where a person is named, and what kind of person it is when that is not said.
#[derive(Clone, Copy)]
enum Place {
    /// In place of `{id}` in the path.
    Path(&'static str),
    /// At a JSON Pointer in the body.
    Body(&'static str, &'static str),
}

use Place::{Body, Path};

const ASKED: &[Place] = &[
    Body("/reference", "lead"),
    Body("/subject", "lead"),
    Body("/context/lead_id", "lead"),
    Body("/context/customer_id", "customer"),
    Body("/context/user_id", "user"),
];

#[rustfmt::skip]
const RULES: &[Rule] = &[
    Rule { method: "PATCH", path: "/crm/leads/{id}",         places: &[Path("lead")],                                  purpose: "contact" },
    Rule { method: "POST",  path: "/crm/leads/{id}/convert", places: &[Path("lead")],                                  purpose: "contact" },
    Rule { method: "POST",  path: "/crm/opportunities",      places: &[Body("/lead_id", "lead")],                      purpose: "contact" },
    Rule { method: "POST",  path: "/crm/contacts",           places: &[Body("/lead_id", "lead")],                      purpose: "contact" },
    Rule { method: "POST",  path: "/crm/activities",         places: &[Body("/entity", "lead"), Body("/lead_id", "lead")], purpose: "contact" },
    Rule { method: "POST",  path: "/logistics/orders",       places: &[Body("/customer_id", "customer")],              purpose: PROCESSING },
    Rule { method: "POST",  path: "/logistics/procurement",  places: &[Body("/customer_id", "customer")],              purpose: PROCESSING },
    Rule { method: "POST",  path: "/task/tasks",             places: &[Body("/reference", "lead")],                    purpose: PROCESSING },
    Rule { method: "POST",  path: "/event/unified",          places: &[Body("/user_id", "user")],                      purpose: PROCESSING },
    Rule { method: "POST",  path: "/bhiv/agent/decide",      places: ASKED,                                            purpose: "profiling" },
    Rule { method: "POST",  path: "/rl/decisions",           places: ASKED,                                            purpose: "profiling" },
];

/// A person's no to a purpose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct No {
    /// Who.
    pub person: String,
    /// To what.
    pub purpose: String,
}

/// A write that may need somebody's consent.
#[derive(Debug)]
pub struct Write {
    rule: &'static Rule,
    /// What the path has for `{id}`; empty without one.
    id: String,
}

impl std::fmt::Debug for Rule {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {} for {}", self.method, self.path, self.purpose)
    }
}

impl Write {
    /// The request `method path`, if it is one that the table has.
    pub fn of(method: &str, path: &str) -> Option<Self> {
        if !RULES.iter().any(|rule| rule.method == method) {
            return None;
        }
        let segments = segments(path);
        RULES.iter().filter(|rule| rule.method == method).find_map(|rule| {
            let id = matching(rule.path, &segments)?;
            Some(Self { rule, id: id.to_owned() })
        })
    }

    /// Whether its body says whom it is about.
    pub fn asks_the_body(&self) -> bool {
        self.rule.places.iter().any(|place| matches!(place, Body(..)))
    }

    /// The no that stands against it, if one does.
    pub fn against(&self, body: &Value, said_no: &SaidNo) -> Option<No> {
        let named = self.rule.places.iter().filter_map(|place| match *place {
            Path(kind) => Some((kind, self.id.as_str())),
            Body(pointer, kind) => Some((kind, body.pointer(pointer)?.as_str()?)),
        });
        named
            .flat_map(|(kind, name)| people(kind, name))
            .find_map(|person| said_no.to_any(&person, &[self.rule.purpose, PROCESSING]))
    }
}

/// One way to write each person: an id that is a UUID stands as RFC 9562 has it, because modules read it in any of
/// its forms.
pub fn canonical(person: &str) -> String {
    match person.split_once('/') {
        Some((kind, id)) => match Uuid::try_parse(id) {
            Ok(id) => format!("{kind}/{id}"),
            Err(_) => person.to_owned(),
        },
        None => person.to_owned(),
    }
}

/// Whom `name` may mean: itself if it says its kind, otherwise a person of this `kind`, one that consent was recorded
/// for without a kind, or, as ids are never given twice, the lead with this id.
fn people(kind: &str, name: &str) -> Vec<String> {
    if name.is_empty() || name.len() > LONGEST {
        return Vec::new();
    }
    if name.contains('/') {
        return vec![canonical(name)];
    }
    let mut people = vec![canonical(&format!("{kind}/{name}")), name.to_owned()];
    if kind != "lead"
        && let Ok(id) = Uuid::try_parse(name)
    {
        people.push(format!("lead/{id}"));
    }
    people
}

/// Everybody who has said no, and to what.
#[derive(Debug, Default)]
pub struct SaidNo(HashMap<String, BTreeSet<String>>);

impl SaidNo {
    /// What `person` said last to `purpose`.
    pub fn note(&mut self, person: &str, purpose: &str, is_no: bool) {
        if is_no {
            self.0.entry(person.to_owned()).or_default().insert(purpose.to_owned());
        } else if let Some(purposes) = self.0.get_mut(person) {
            purposes.remove(purpose);
            if purposes.is_empty() {
                self.0.remove(person);
            }
        }
    }

    /// Whether nobody has.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many people have.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    fn to_any(&self, person: &str, purposes: &[&str]) -> Option<No> {
        let said = self.0.get(person)?;
        let purpose = purposes.iter().find(|purpose| said.contains(**purpose))?;
        Some(No { person: person.to_owned(), purpose: (*purpose).to_owned() })
    }

    /// Whether `event`, in CloudEvents' JSON format, is about nobody who has said no to `streaming` or
    /// `processing`. What compliance tells is always shown: by it the others learn of the no.
    pub fn allows(&self, event: &Value) -> bool {
        if self.is_empty() || event.get("source").and_then(Value::as_str) == Some("/bhiv/compliance") {
            return true;
        }
        let text = |pointer| event.pointer(pointer).and_then(Value::as_str);
        let named = [
            ("lead", text("/subject")),
            ("lead", text("/data/lead_id")),
            ("lead", text("/data/reference")),
            ("user", text("/data/user_id")),
            ("customer", text("/data/customer_id")),
        ];
        let people = named.into_iter().filter_map(|(kind, name)| Some(people(kind, name?))).flatten();
        people.into_iter().all(|person| self.to_any(&person, &[STREAMING, PROCESSING]).is_none())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const LEAD: &str = "0190aaaa-0000-7000-8000-00000000000a";

    fn no(person: &str, purpose: &str) -> SaidNo {
        let mut said_no = SaidNo::default();
        said_no.note(&canonical(person), purpose, true);
        said_no
    }

    fn against(method: &str, path: &str, body: &Value, said_no: &SaidNo) -> Option<String> {
        Write::of(method, path)?.against(body, said_no).map(|no| format!("{} {}", no.person, no.purpose))
    }

    #[test]
    fn every_row_stops_what_it_names() {
        let lead = no(&format!("lead/{LEAD}"), "contact");
        let shouting = LEAD.to_uppercase();
        for (method, path, body) in [
            ("PATCH", format!("/crm/leads/{LEAD}"), json!(null)),
            ("PATCH", format!("/crm/leads/{shouting}"), json!({})),
            ("PATCH", format!("/crm/lead%73/{}", LEAD.replace('-', "")), json!({})),
            ("POST", format!("/crm/leads/{LEAD}/convert"), json!({})),
            ("POST", "/crm/opportunities".to_owned(), json!({"lead_id": LEAD})),
            ("POST", "/crm/opportunities".to_owned(), json!({"lead_id": shouting})),
            ("POST", "/crm/contacts".to_owned(), json!({"lead_id": LEAD})),
            ("POST", "/crm/activities".to_owned(), json!({"entity": format!("lead/{LEAD}")})),
        ] {
            let found = against(method, &path, &body, &lead);
            assert_eq!(found.as_deref(), Some(&*format!("lead/{LEAD} contact")), "{method} {path} {body}");
        }
        for (path, body, person, purpose) in [
            ("/logistics/orders", json!({"customer_id": "verma"}), "customer/verma", "processing"),
            ("/logistics/procurement", json!({"customer_id": LEAD}), &*format!("lead/{LEAD}"), "processing"),
            (
                "/task/tasks",
                json!({"reference": format!("lead/{LEAD}")}),
                &format!("lead/{LEAD}"),
                "processing",
            ),
            ("/event/unified", json!({"user_id": "ravi"}), "user/ravi", "processing"),
            ("/event/unified", json!({"user_id": "ravi"}), "ravi", "processing"),
            (
                "/event/unified",
                json!({"user_id": format!("lead/{LEAD}")}),
                &format!("lead/{LEAD}"),
                "processing",
            ),
            (
                "/bhiv/agent/decide",
                json!({"context": {"lead_id": LEAD}}),
                &format!("lead/{LEAD}"),
                "profiling",
            ),
            (
                "/rl/decisions",
                json!({"reference": format!("lead/{LEAD}")}),
                &format!("lead/{LEAD}"),
                "processing",
            ),
        ] {
            let found = against("POST", path, &body, &no(person, purpose));
            assert_eq!(found, Some(format!("{person} {purpose}")), "{path} {body}");
        }
    }

    #[test]
    fn what_is_not_withdrawn_is_let_in() {
        let lead = no(&format!("lead/{LEAD}"), "contact");
        for (method, path, body) in [
            ("PATCH", "/crm/leads/0190aaaa-0000-7000-8000-00000000000b", json!({})),
            ("GET", &format!("/crm/leads/{LEAD}"), json!(null)),
            ("POST", "/crm/leads", json!({"lead_id": LEAD})),
            ("POST", "/crm/opportunities", json!({"lead_id": 7})),
            ("POST", "/crm/opportunities", json!([])),
            ("POST", "/task/tasks", json!({"reference": format!("lead/{LEAD}")})),
            ("POST", "/consent/grant", json!({"subject": format!("lead/{LEAD}")})),
            ("POST", "/compliance/erasure", json!({"subject": format!("lead/{LEAD}")})),
        ] {
            assert_eq!(against(method, path, &body, &lead), None, "{method} {path}");
        }
    }

    #[test]
    fn who_grants_again_is_let_in_again() {
        let mut said_no = no("user/ravi", "processing");
        said_no.note("user/ravi", "contact", false);
        assert_eq!(said_no.len(), 1);
        said_no.note("user/ravi", "processing", false);
        assert!(said_no.is_empty());
    }

    #[test]
    fn events_about_who_said_no_are_not_shown() {
        let about = |data: Value| json!({"source": "/bhiv/task", "subject": "task/7", "data": data});
        let streaming = no(&format!("lead/{LEAD}"), "streaming");
        assert!(!streaming.allows(&about(json!({"reference": format!("lead/{LEAD}")}))));
        assert!(!streaming.allows(&about(json!({"lead_id": LEAD}))));
        assert!(!streaming.allows(&json!({"source": "/bhiv/crm", "subject": format!("lead/{LEAD}")})));
        assert!(streaming.allows(&json!({"source": "/bhiv/compliance", "subject": format!("lead/{LEAD}")})));
        assert!(streaming.allows(&about(json!({"lead_id": "another"}))));
        assert!(no("lead/7", "contact").allows(&about(json!({"reference": "lead/7"}))));
        assert!(!no("user/ravi", "processing").allows(&about(json!({"user_id": "ravi"}))));
    }
}
