use bhiv_events::{Contract, Kind, Producer};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// What the sink's handlers do about a change, beside its effect.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Act {
    /// Nothing.
    #[default]
    Plain,
    /// Fail for as long as they are told to.
    Fail,
    /// Panic for as long as they are told to.
    Panic,
    /// End the process for as long as they are told to.
    Abort,
    /// Never come back for as long as they are told to.
    Hang,
    /// Refuse for good.
    Never,
}

impl Act {
    /// As it stands in tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Fail => "fail",
            Self::Panic => "panic",
            Self::Abort => "abort",
            Self::Hang => "hang",
            Self::Never => "never",
        }
    }
}

/// A subject changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Changed {
    /// Names the change.
    pub change_id: Uuid,
    /// What changed.
    pub number: i32,
    /// Its version since.
    pub version: i64,
    /// What is to be done about it.
    pub act: Act,
}

impl Contract for Changed {
    const KIND: Kind = Kind {
        producer: Producer::Crm,
        name: "lab_changed",
        routing_key: "crm.lab.changed.v1",
        type_: "bhiv.crm.lab.changed.v1",
    };

    fn subject(&self) -> String {
        format!("lab/{}", self.number)
    }

    fn sample() -> Self {
        Self { change_id: Uuid::nil(), number: 1, version: 1, act: Act::Plain }
    }
}

/// The sink has handled a change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Done {
    /// The change.
    pub change_id: Uuid,
}

impl Contract for Done {
    const KIND: Kind = Kind {
        producer: Producer::Task,
        name: "lab_done",
        routing_key: "task.lab.done.v1",
        type_: "bhiv.task.lab.done.v1",
    };

    fn subject(&self) -> String {
        format!("change/{}", self.change_id)
    }

    fn sample() -> Self {
        Self { change_id: Uuid::nil() }
    }
}
