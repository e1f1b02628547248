use chrono::{DateTime, TimeDelta, Utc};

use super::action::{Action, Actions};
use super::assignment::Assignment;
use super::facts::Facts;
use super::task::{MAX_DESCRIPTION, MAX_NAME, MAX_TITLE, NewTask};
use super::template;

/// An action with its templates filled in: what is left to do.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// Create this task, for one of those if it names nobody.
    CreateTask(NewTask, Option<Assignment>),
    /// Escalate the open tasks about `reference`.
    EscalateTasks { reference: String, reason: Option<String> },
}

impl Actions {
    /// What is to be done about an event, all of it or nothing.
    ///
    /// # Errors
    /// The first text that cannot be made.
    pub fn steps(&self, facts: &Facts, now: DateTime<Utc>) -> Result<Vec<Step>, String> {
        let numbered = self.0.iter().enumerate();
        let steps = numbered.map(|(number, action)| {
            let name: &str = action.into();
            action.step(facts, now).map_err(|error| format!("/actions/{number}/{name}/{error}"))
        });
        steps.collect()
    }
}

impl Action {
    fn step(&self, facts: &Facts, now: DateTime<Utc>) -> Result<Step, String> {
        let text = |field, source: &str| text(field, source, facts);
        let optional = |field, source: &Option<String>| {
            let given = source.as_deref().map(|source| text(field, source));
            given.transpose().map(Option::flatten)
        };
        let needed = |field, source| text(field, source)?.ok_or_else(|| format!("{field}: it is empty"));
        let name = |field, source| optional(field, source)?.map(|name| short(field, name)).transpose();
        Ok(match self {
            Self::CreateTask(task) => Step::CreateTask(
                NewTask {
                    title: cut(&needed("title", &task.title)?, MAX_TITLE),
                    description: optional("description", &task.description)?
                        .map(|description| cut(&description, MAX_DESCRIPTION)),
                    assignee_id: name("assignee_id", &task.assignee_id)?,
                    priority: task.priority,
                    due_date: task.due_in_hours.map(|hours| now + TimeDelta::hours(hours.into())),
                    reference: name("reference", &task.reference)?,
                    labels: Vec::new(),
                    checklist: Vec::new(),
                    depends_on: Vec::new(),
                },
                task.assign.clone(),
            ),
            Self::EscalateTasks(tasks) => Step::EscalateTasks {
                reference: short("reference", needed("reference", &tasks.reference)?)?,
                reason: optional("reason", &tasks.reason)?.map(|reason| cut(&reason, MAX_DESCRIPTION)),
            },
        })
    }
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
        actions.steps(&facts, DateTime::UNIX_EPOCH)
    }

    #[test]
    fn a_title_is_cut_and_an_empty_text_is_absent() {
        let made = steps(json!([{"create_task": {
            "title": "Look at {{ data.long }}", "description": "{% if data.none %}x{% endif %} ",
            "reference": "lead/{{ data.id }}", "due_in_hours": 2,
        }}]));
        let Some(Step::CreateTask(task, _)) = made.unwrap().pop() else { panic!("a task") };
        assert_eq!(task.title.len(), MAX_TITLE);
        assert_eq!((task.description, task.assignee_id), (None, None));
        assert_eq!(task.reference.as_deref(), Some("lead/7"));
        assert_eq!(task.due_date, DateTime::from_timestamp(7200, 0));
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
        let empty = json!([{"create_task": {"title": "{{ ' ' }}"}}]);
        assert_eq!(fault(empty), "/actions/0/create_task/title: it is empty");
    }
}
