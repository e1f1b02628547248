use std::collections::BTreeMap;

use bhiv_types::Priority;
use bhiv_webhook::CallbackUrl;
use serde::{Deserialize, Serialize};
use utoipa::openapi::schema::{AdditionalProperties, Object, ObjectBuilder, Type};
use utoipa::openapi::{Ref, RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use super::assignment::{Assignee, Assignment};
use super::template;

/// Something that a workflow does: an object with exactly one field, which names it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, strum::IntoStaticStr)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Action {
    /// A task is created.
    CreateTask(TaskTemplate),
    /// The open tasks about something are escalated.
    EscalateTasks(Escalation),
    /// The open tasks about something are cancelled.
    CancelTasks(Cancellation),
    /// Somebody outside is told; what follows waits until they have it.
    Notify(Notification),
    /// An event is published: `workflow_published`.
    Publish(Publication),
    /// What follows waits for a time.
    Wait(Pause),
    /// A person is asked; what follows is done if they agree.
    Approve(Asking),
}

/// The task that is created. Its texts are templates over `event` and `data`; one that gives nothing is absent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TaskTemplate {
    /// What is to be done; cut at 200 characters.
    #[schema(min_length = 1, max_length = 1000)]
    pub title: String,
    /// More about it; cut at 4000 characters.
    #[schema(min_length = 1, max_length = 4000)]
    pub description: Option<String>,
    /// `normal`, unless it says otherwise.
    #[serde(default)]
    pub priority: Priority,
    /// How many hours there are to do it.
    #[schema(minimum = 0, maximum = 8760)]
    pub due_in_hours: Option<u16>,
    /// After how many hours it is escalated if it is not done.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 8760)]
    pub escalate_in_hours: Option<u16>,
    /// What it is about, for example `lead/{{ data.lead_id }}`; gives at most 100 characters.
    #[schema(min_length = 1, max_length = 1000)]
    pub reference: Option<String>,
    /// Who does it; gives at most 100 characters.
    #[schema(min_length = 1, max_length = 1000)]
    pub assignee_id: Option<String>,
    /// Who gets it when `assignee_id` names nobody.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub assign: Option<Assignment>,
}

/// The tasks that are escalated. Its texts are templates over `event` and `data`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Escalation {
    /// What they are about, for example `order/{{ data.order_id }}`; gives at most 100 characters.
    #[schema(min_length = 1, max_length = 1000)]
    pub reference: String,
    /// Why; cut at 4000 characters.
    #[schema(min_length = 1, max_length = 4000)]
    pub reason: Option<String>,
}

/// The tasks that are cancelled. Its texts are templates over `event` and `data`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Cancellation {
    /// What they are about, for example `order/{{ data.order_id }}`; gives at most 100 characters.
    #[schema(min_length = 1, max_length = 1000)]
    pub reference: String,
}

/// Who is told what.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Notification {
    /// Where: whoever may read workflows can read it.
    pub url: CallbackUrl,
    /// What: a template over `event` and `data`; cut at 4000 characters.
    #[schema(min_length = 1, max_length = 4000)]
    pub text: String,
}

/// The event that is published.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Publication {
    /// What happened, in the workflow's own words; no name of the system's own events.
    #[schema(value_type = String, pattern = "^[A-Za-z][A-Za-z0-9_.:-]{0,99}$")]
    pub event_type: OwnType,
    /// What there is to say about it: each a template over `event` and `data`, cut at 4000 characters.
    #[serde(default)]
    #[schema(schema_with = payload)]
    pub payload: BTreeMap<String, String>,
}

fn payload() -> Object {
    let text = ObjectBuilder::new().schema_type(Type::String).max_length(Some(4000));
    let texts = ObjectBuilder::new().schema_type(Type::Object).max_properties(Some(50));
    texts.additional_properties(Some(RefOr::T(Schema::Object(text.build())))).build()
}

/// The name of an event that is none of the system's own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct OwnType(String);

impl TryFrom<String> for OwnType {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        if bhiv_events::is_reserved(&name) {
            return Err(format!("'{name}' is a name of the system's own events"));
        }
        Ok(Self(name))
    }
}

impl From<OwnType> for String {
    fn from(OwnType(name): OwnType) -> Self {
        name
    }
}

/// For how long.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Pause {
    /// At most a year.
    #[schema(minimum = 1, maximum = 525_600)]
    pub minutes: u32,
}

/// What is asked, and who.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Asking {
    /// A template over `event` and `data`; cut at 4000 characters.
    #[schema(min_length = 1, max_length = 4000)]
    pub question: String,
    /// Any of these users may answer.
    #[schema(min_items = 1, max_items = 100)]
    pub approvers: Vec<Assignee>,
    /// No answer within so many hours is a no; there is no end to it, unless it says otherwise.
    #[schema(minimum = 1, maximum = 8760)]
    pub within_hours: Option<u16>,
}

/// Everything that a workflow does, in this order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Actions(pub Vec<Action>);

/// Texts of actions are no templates.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{} of the actions' texts cannot be read as templates", .0.len())]
pub struct InvalidTemplates(pub Vec<TemplateFault>);

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateFault {
    /// JSON Pointer of the text, for example `/actions/0/create_task/title`.
    pub pointer: String,
    /// Where in it and why.
    pub message: String,
}

impl Actions {
    /// Checks that every text is a template.
    ///
    /// # Errors
    /// All those that are none.
    pub fn check(&self) -> Result<(), InvalidTemplates> {
        let mut faults = Vec::new();
        for (number, action) in self.0.iter().enumerate() {
            let name: &str = action.into();
            for (field, text) in action.texts() {
                if let Err(message) = template::check(text) {
                    faults.push(TemplateFault {
                        pointer: format!("/actions/{number}/{name}/{field}"),
                        message,
                    });
                }
            }
        }
        if faults.is_empty() { Ok(()) } else { Err(InvalidTemplates(faults)) }
    }
}

impl Actions {
    /// Who is told, and where that stands.
    pub fn receivers(&self) -> impl Iterator<Item = (String, &CallbackUrl)> {
        self.0.iter().enumerate().filter_map(|(number, action)| match action {
            Action::Notify(Notification { url, .. }) => Some((format!("/actions/{number}/notify/url"), url)),
            _ => None,
        })
    }
}

impl Action {
    /// Its templates, by field.
    fn texts(&self) -> Vec<(String, &str)> {
        let texts = match self {
            Self::CreateTask(task) => vec![
                ("title", Some(task.title.as_str())),
                ("description", task.description.as_deref()),
                ("reference", task.reference.as_deref()),
                ("assignee_id", task.assignee_id.as_deref()),
            ],
            Self::EscalateTasks(tasks) => {
                vec![("reference", Some(tasks.reference.as_str())), ("reason", tasks.reason.as_deref())]
            }
            Self::CancelTasks(tasks) => vec![("reference", Some(tasks.reference.as_str()))],
            Self::Notify(notification) => vec![("text", Some(notification.text.as_str()))],
            Self::Publish(publication) => {
                return publication.texts().map(|(name, text)| (format!("payload/{name}"), text)).collect();
            }
            Self::Wait(_) => Vec::new(),
            Self::Approve(question) => vec![("question", Some(question.question.as_str()))],
        };
        texts.into_iter().filter_map(|(field, text)| Some((field.to_owned(), text?))).collect()
    }
}

impl Publication {
    /// Its templates, by a name as it stands in a JSON Pointer.
    pub fn texts(&self) -> impl Iterator<Item = (String, &str)> {
        let escaped = |name: &str| name.replace('~', "~0").replace('/', "~1");
        self.payload.iter().map(move |(name, text)| (escaped(name), text.as_str()))
    }
}

/// Not the `oneOf` that its derive would give: so a fault is reported where it is, and not as the absence of
/// the other actions.
impl PartialSchema for Action {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .description(Some("Something that a workflow does: exactly one of these fields."))
            .property("create_task", Ref::from_schema_name(TaskTemplate::name()))
            .property("escalate_tasks", Ref::from_schema_name(Escalation::name()))
            .property("cancel_tasks", Ref::from_schema_name(Cancellation::name()))
            .property("notify", Ref::from_schema_name(Notification::name()))
            .property("publish", Ref::from_schema_name(Publication::name()))
            .property("wait", Ref::from_schema_name(Pause::name()))
            .property("approve", Ref::from_schema_name(Asking::name()))
            .min_properties(Some(1))
            .max_properties(Some(1))
            .additional_properties(Some(AdditionalProperties::<Schema>::FreeForm(false)))
            .into()
    }
}

impl ToSchema for Action {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        fn push<T: ToSchema>(schemas: &mut Vec<(String, RefOr<Schema>)>) {
            schemas.push((T::name().into_owned(), T::schema()));
            T::schemas(schemas);
        }
        push::<TaskTemplate>(schemas);
        push::<Escalation>(schemas);
        push::<Cancellation>(schemas);
        push::<Notification>(schemas);
        push::<Publication>(schemas);
        push::<Pause>(schemas);
        push::<Asking>(schemas);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_text_is_checked() {
        let broken: Actions = serde_json::from_value(json!([
            {"create_task": {"title": "{{", "description": "{{", "reference": "{{", "assignee_id": "{{"}},
            {"escalate_tasks": {"reference": "{{", "reason": "{{"}},
            {"notify": {"url": "https://example.com/", "text": "{{"}},
            {"publish": {"event_type": "own", "payload": {"a/b": "{{"}}},
            {"wait": {"minutes": 1}},
            {"approve": {"question": "{{", "approvers": ["ravi"]}},
            {"cancel_tasks": {"reference": "{{"}},
        ]))
        .unwrap();
        let InvalidTemplates(faults) = broken.check().unwrap_err();
        let pointers: Vec<_> = faults.iter().map(|fault| fault.pointer.as_str()).collect();
        assert_eq!(
            pointers,
            [
                "/actions/0/create_task/title",
                "/actions/0/create_task/description",
                "/actions/0/create_task/reference",
                "/actions/0/create_task/assignee_id",
                "/actions/1/escalate_tasks/reference",
                "/actions/1/escalate_tasks/reason",
                "/actions/2/notify/text",
                "/actions/3/publish/payload/a~1b",
                "/actions/5/approve/question",
                "/actions/6/cancel_tasks/reference",
            ]
        );
    }
}
