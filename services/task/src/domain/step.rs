use std::collections::BTreeMap;

use bhiv_webhook::CallbackUrl;
use serde::{Deserialize, Serialize};

use super::action::{Action, Actions, Asking, Notification, Pause, Publication};
use super::assignment::Assignment;
use super::facts::Facts;
use super::task::{MAX_DESCRIPTION, MAX_NAME, MAX_TITLE, NewTask};
use super::template;

/// An action with its templates filled in: what is left to do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, strum::IntoStaticStr)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Step {
    /// Create this task, for one of those if it names nobody, with so many hours to do it, and until it is escalated.
    CreateTask {
        task: NewTask,
        assign: Option<Assignment>,
        due_in_hours: Option<u16>,
        escalate_in_hours: Option<u16>,
    },
    /// Escalate the open tasks about `reference`.
    EscalateTasks { reference: String, reason: Option<String> },
    /// Cancel the open tasks about `reference`.
    CancelTasks { reference: String },
    /// Tell somebody outside.
    Notify { url: CallbackUrl, text: String },
    /// Publish an event.
    Publish { event_type: String, payload: BTreeMap<String, String> },
    /// Wait.
    Wait { minutes: u32 },
    /// Ask one of these.
    Approve { question: String, approvers: Vec<String>, within_hours: Option<u16> },
}

/// How many characters a text to somebody has at most.
const MAX_TEXT: usize = 4000;

impl Actions {
    /// What is to be done about an event, all of it or nothing.
    ///
    /// # Errors
    /// The first text that cannot be made.
    pub fn steps(&self, facts: &Facts) -> Result<Vec<Step>, String> {
        let numbered = self.0.iter().enumerate();
        let steps = numbered.map(|(number, action)| {
            let name: &str = action.into();
            action.step(facts).map_err(|error| format!("/actions/{number}/{name}/{error}"))
        });
        steps.collect()
    }
}

impl Action {
    fn step(&self, facts: &Facts) -> Result<Step, String> {
        let text = |field: &str, source: &str| text(field, source, facts);
        let optional = |field: &str, source: &Option<String>| {
            let given = source.as_deref().map(|source| text(field, source));
            given.transpose().map(Option::flatten)
        };
        let needed =
            |field: &str, source: &str| text(field, source)?.ok_or_else(|| format!("{field}: it is empty"));
        let name = |field: &str, source| optional(field, source)?.map(|name| short(field, name)).transpose();
        Ok(match self {
            Self::CreateTask(task) => Step::CreateTask {
                task: NewTask {
                    title: cut(&needed("title", &task.title)?, MAX_TITLE),
                    description: optional("description", &task.description)?
                        .map(|description| cut(&description, MAX_DESCRIPTION)),
                    assignee_id: name("assignee_id", &task.assignee_id)?,
                    priority: task.priority,
                    due_date: None,
                    escalate_at: None,
                    reference: name("reference", &task.reference)?,
                    labels: Vec::new(),
                    checklist: Vec::new(),
                    depends_on: Vec::new(),
                },
                assign: task.assign.clone(),
                due_in_hours: task.due_in_hours,
                escalate_in_hours: task.escalate_in_hours,
            },
            Self::EscalateTasks(tasks) => Step::EscalateTasks {
                reference: short("reference", needed("reference", &tasks.reference)?)?,
                reason: optional("reason", &tasks.reason)?.map(|reason| cut(&reason, MAX_DESCRIPTION)),
            },
            Self::CancelTasks(tasks) => {
                Step::CancelTasks { reference: short("reference", needed("reference", &tasks.reference)?)? }
            }
            Self::Notify(Notification { url, text }) => {
                Step::Notify { url: url.clone(), text: cut(&needed("text", text)?, MAX_TEXT) }
            }
            Self::Publish(publication) => Step::Publish {
                event_type: publication.event_type.clone().into(),
                payload: payload(publication, facts)?,
            },
            Self::Wait(Pause { minutes }) => Step::Wait { minutes: *minutes },
            Self::Approve(Asking { question, approvers, within_hours }) => Step::Approve {
                question: cut(&needed("question", question)?, MAX_TEXT),
                approvers: approvers.clone(),
                within_hours: *within_hours,
            },
        })
    }
}

/// What there is to say in an event; a text that gives nothing is empty.
fn payload(publication: &Publication, facts: &Facts) -> Result<BTreeMap<String, String>, String> {
    let made = publication.texts().zip(publication.payload.keys()).map(|((pointer, source), name)| {
        let text = text(&format!("payload/{pointer}"), source, facts)?.unwrap_or_default();
        Ok((name.clone(), cut(&text, MAX_TEXT)))
    });
    made.collect()
}

/// What a template gives, if it is more than blanks.
fn text(field: &str, source: &str, facts: &Facts) -> Result<Option<String>, String> {
    let text = template::render(source, facts).map_err(|error| format!("{field}: {error}"))?;
    let text = text.trim();
    Ok((!text.is_empty()).then(|| text.to_owned()))
}

/// Refuses what is too long: part of a name would be another name.
fn short(field: &str, name: String) -> Result<String, String> {
    if name.chars().count() > MAX_NAME {
        return Err(format!("{field}: it is longer than {MAX_NAME} characters"));
    }
    Ok(name)
}

/// The beginning of `text`.
pub fn cut(text: &str, characters: usize) -> String {
    text.chars().take(characters).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn steps(json: serde_json::Value) -> Result<Vec<Step>, String> {
        let facts =
            Facts { event: json!({}), data: json!({"id": "7", "long": "x".repeat(300), "none": null}) };
        let actions: Actions = serde_json::from_value(json).unwrap();
        actions.steps(&facts)
    }

    #[test]
    fn a_title_is_cut_and_an_empty_text_is_absent() {
        let made = steps(json!([{"create_task": {
            "title": "Look at {{ data.long }}", "description": "{% if data.none %}x{% endif %} ",
            "reference": "lead/{{ data.id }}", "due_in_hours": 2,
        }}]));
        let Some(Step::CreateTask { task, due_in_hours, .. }) = made.unwrap().pop() else { panic!("a task") };
        assert_eq!(task.title.len(), MAX_TITLE);
        assert_eq!((task.description, task.assignee_id), (None, None));
        assert_eq!(task.reference.as_deref(), Some("lead/7"));
        assert_eq!((task.due_date, due_in_hours), (None, Some(2)));
    }

    #[test]
    fn others_are_told_and_asked_what_the_event_says() {
        let made = steps(json!([
            {"notify": {"url": "https://example.com/hook", "text": "Lead {{ data.id }}"}},
            {"publish": {"event_type": "lead.seen", "payload": {"id": "{{ data.id }}", "none": "{{ data.none or '' }}"}}},
            {"wait": {"minutes": 90}},
            {"approve": {"question": "Call {{ data.id }}?", "approvers": ["ravi"], "within_hours": 4}},
            {"cancel_tasks": {"reference": "lead/{{ data.id }} "}},
        ]));
        let texts = |pairs: [(&str, &str); 2]| pairs.map(|(a, b)| (a.to_owned(), b.to_owned())).into();
        assert_eq!(
            made.unwrap(),
            [
                Step::Notify {
                    url: CallbackUrl::try_from("https://example.com/hook".to_owned()).unwrap(),
                    text: "Lead 7".to_owned()
                },
                Step::Publish {
                    event_type: "lead.seen".to_owned(),
                    payload: texts([("id", "7"), ("none", "")])
                },
                Step::Wait { minutes: 90 },
                Step::Approve {
                    question: "Call 7?".to_owned(),
                    approvers: vec!["ravi".to_owned()],
                    within_hours: Some(4)
                },
                Step::CancelTasks { reference: "lead/7".to_owned() },
            ]
        );
        let reserved =
            serde_json::from_value::<Actions>(json!([{"publish": {"event_type": "lead_created"}}]));
        assert!(reserved.unwrap_err().to_string().contains("system's own events"));
    }

    #[test]
    fn a_text_that_cannot_be_made_is_named() {
        let fault = |json| steps(json).unwrap_err();
        let unknown =
            json!([{"create_task": {"title": "a"}}, {"escalate_tasks": {"reference": "{{ data.x }}"}}]);
        assert_eq!(fault(unknown), "/actions/1/escalate_tasks/reference: line 1: undefined value");
        let long = json!([{"create_task": {"title": "a", "reference": "{{ data.long }}"}}]);
        assert_eq!(fault(long), "/actions/0/create_task/reference: it is longer than 100 characters");
        let long = json!([{"escalate_tasks": {"reference": "{{ data.long }}"}}]);
        assert_eq!(fault(long), "/actions/0/escalate_tasks/reference: it is longer than 100 characters");
        let long = json!([{"cancel_tasks": {"reference": "{{ data.long }}"}}]);
        assert_eq!(fault(long), "/actions/0/cancel_tasks/reference: it is longer than 100 characters");
        let empty = json!([{"create_task": {"title": "{{ ' ' }}"}}]);
        assert_eq!(fault(empty), "/actions/0/create_task/title: it is empty");
        let unknown =
            json!([{"publish": {"event_type": "own", "payload": {"a": "1", "b/c": "{{ data.x }}"}}}]);
        assert_eq!(fault(unknown), "/actions/0/publish/payload/b~1c: line 1: undefined value");
    }
}
