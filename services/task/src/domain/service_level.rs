use serde::Deserialize;
use utoipa::ToSchema;

/// What is promised of tasks that are so urgent. What is absent is not promised.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_field_names, reason = "each says its unit")]
pub struct NewServiceLevel {
    /// Somebody begins within so many minutes; `task_sla_breached` if nobody does.
    #[schema(minimum = 1, maximum = 525_600)]
    pub respond_within_minutes: Option<i32>,
    /// It is done within so many minutes: its date, unless it is given one.
    #[schema(minimum = 1, maximum = 525_600)]
    pub resolve_within_minutes: Option<i32>,
    /// It is escalated after so many minutes if it is not done, unless it is given another time.
    #[schema(minimum = 1, maximum = 525_600)]
    pub escalate_after_minutes: Option<i32>,
}
