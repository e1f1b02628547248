use bhiv_types::Priority;
use serde::{Deserialize, Serialize};
use utoipa::openapi::schema::{AdditionalProperties, ObjectBuilder};
use utoipa::openapi::{Ref, RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use super::assignment::Assignment;
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

impl Action {
    /// Its templates, by field.
    fn texts(&self) -> impl Iterator<Item = (&'static str, &str)> {
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
        };
        texts.into_iter().filter_map(|(field, text)| Some((field, text?)))
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
            .min_properties(Some(1))
            .max_properties(Some(1))
            .additional_properties(Some(AdditionalProperties::<Schema>::FreeForm(false)))
            .into()
    }
}

impl ToSchema for Action {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((TaskTemplate::name().into_owned(), TaskTemplate::schema()));
        schemas.push((Escalation::name().into_owned(), Escalation::schema()));
        TaskTemplate::schemas(schemas);
        Escalation::schemas(schemas);
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
            ]
        );
    }
}
