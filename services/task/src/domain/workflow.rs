use bhiv_types::Patch;
use serde::Deserialize;
use utoipa::ToSchema;

use super::action::{Action, Actions, InvalidTemplates};
use super::condition::{self, InvalidCondition};
use super::trigger::{self, UnknownTrigger};

/// What is to be done about which event.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewWorkflow {
    /// What it does, in plain words.
    #[schema(min_length = 1, max_length = 200)]
    pub name: String,
    /// Public name of the event, for example `lead_created`.
    #[schema(min_length = 1, max_length = 100)]
    pub trigger: String,
    /// When it is done, in CEL over `event` and `data`; always, if there is none.
    #[schema(min_length = 1, max_length = 1000)]
    pub condition: Option<String>,
    /// What is done, in this order.
    #[schema(value_type = Vec<Action>, min_items = 1, max_items = 20)]
    pub actions: Actions,
    /// Whether it is done at all; `true`, unless it says otherwise.
    #[serde(default = "yes")]
    pub enabled: bool,
}

fn yes() -> bool {
    true
}

/// What may be changed about a workflow. Absent fields stay, `null` clears.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WorkflowChange {
    /// What it does, in plain words.
    #[schema(min_length = 1, max_length = 200)]
    pub name: Option<String>,
    /// Public name of the event.
    #[schema(min_length = 1, max_length = 100)]
    pub trigger: Option<String>,
    /// When it is done, in CEL over `event` and `data`.
    #[serde(default)]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 1000)]
    pub condition: Patch<String>,
    /// What is done, in this order.
    #[schema(value_type = Option<Vec<Action>>, min_items = 1, max_items = 20)]
    pub actions: Option<Actions>,
    /// Whether it is done at all.
    pub enabled: Option<bool>,
}

/// Why a workflow cannot be saved.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidWorkflow {
    #[error(transparent)]
    Trigger(#[from] UnknownTrigger),
    #[error(transparent)]
    Condition(#[from] InvalidCondition),
    #[error(transparent)]
    Templates(#[from] InvalidTemplates),
}

impl NewWorkflow {
    /// Checks what no schema can say.
    ///
    /// # Errors
    /// When its trigger, its condition or a text is none.
    pub fn check(&self) -> Result<(), InvalidWorkflow> {
        check(
            Some(&self.trigger),
            self.condition.as_deref().map(|it| (it, &*self.trigger)),
            Some(&self.actions),
        )
    }
}

impl WorkflowChange {
    /// Checks what changes about a workflow with this trigger and this condition; what stays was checked when it was
    /// saved, but a condition may not fit another trigger.
    ///
    /// # Errors
    /// When its trigger, its condition or a text is none.
    pub fn check(&self, trigger: &str, condition: Option<&str>) -> Result<(), InvalidWorkflow> {
        let about = self.trigger.as_deref().unwrap_or(trigger);
        let condition = match &self.condition {
            Patch::Set(condition) => Some(condition.as_str()),
            Patch::Keep if self.trigger.is_some() => condition,
            Patch::Keep | Patch::Clear => None,
        };
        check(self.trigger.as_deref(), condition.map(|it| (it, about)), self.actions.as_ref())
    }
}

fn check(
    trigger: Option<&str>,
    condition: Option<(&str, &str)>,
    actions: Option<&Actions>,
) -> Result<(), InvalidWorkflow> {
    if let Some(trigger) = trigger {
        trigger::check(trigger)?;
    }
    if let Some((source, trigger)) = condition {
        condition::check(source, trigger)?;
    }
    if let Some(actions) = actions {
        actions.check()?;
    }
    Ok(())
}
