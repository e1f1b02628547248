use serde::{Deserialize, Serialize};

/// A service in its role as the owner of an exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Producer {
    /// Leads, opportunities, accounts.
    Crm,
    /// Orders, deliveries, inventory.
    Logistics,
    /// Tasks, workflows, feedback.
    Task,
    /// Consent, checks, duties.
    Compliance,
    /// Decisions and what came of them.
    Rl,
    /// The memory of the system.
    Logging,
    /// The gateway.
    Core,
}

impl Producer {
    /// Every producer, in the order in which the docs list them.
    pub const ALL: [Self; 7] =
        [Self::Crm, Self::Logistics, Self::Task, Self::Compliance, Self::Rl, Self::Logging, Self::Core];

    /// The first word of its routing keys, for example `crm`.
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::Crm => "crm",
            Self::Logistics => "logistics",
            Self::Task => "task",
            Self::Compliance => "compliance",
            Self::Rl => "rl",
            Self::Logging => "logging",
            Self::Core => "core",
        }
    }

    /// Its topic exchange, for example `bhiv.crm`.
    pub const fn exchange(self) -> &'static str {
        match self {
            Self::Crm => "bhiv.crm",
            Self::Logistics => "bhiv.logistics",
            Self::Task => "bhiv.task",
            Self::Compliance => "bhiv.compliance",
            Self::Rl => "bhiv.rl",
            Self::Logging => "bhiv.logging",
            Self::Core => "bhiv.core",
        }
    }

    /// The CloudEvents `source` of its events, for example `/bhiv/crm`.
    pub const fn source(self) -> &'static str {
        match self {
            Self::Crm => "/bhiv/crm",
            Self::Logistics => "/bhiv/logistics",
            Self::Task => "/bhiv/task",
            Self::Compliance => "/bhiv/compliance",
            Self::Rl => "/bhiv/rl",
            Self::Logging => "/bhiv/logging",
            Self::Core => "/bhiv/core",
        }
    }
}

/// The names of one kind of event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kind {
    /// Who emits it.
    pub producer: Producer,
    /// The public name that users see as `event_type`, for example `lead_created`.
    pub name: &'static str,
    /// For example `crm.lead.created.v1`.
    pub routing_key: &'static str,
    /// The CloudEvents `type`, for example `bhiv.crm.lead.created.v1`.
    pub type_: &'static str,
}

/// The public name within a CloudEvents type: `bhiv.crm.lead.created.v1` is `lead_created`.
///
/// `None` when the type is not one of this system's.
pub fn public_name(type_: &str) -> Option<String> {
    let mut words = type_.strip_prefix("bhiv.")?.split('.');
    match (words.next(), words.next(), words.next(), words.next(), words.next()) {
        (Some(_), Some(aggregate), Some(event), Some(version), None)
            if version.starts_with('v') && !aggregate.is_empty() && !event.is_empty() =>
        {
            Some(format!("{aggregate}_{event}"))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_public_name_is_aggregate_and_event() {
        assert_eq!(public_name("bhiv.crm.lead.created.v1").as_deref(), Some("lead_created"));
        assert_eq!(public_name("bhiv.crm.lead.created"), None);
        assert_eq!(public_name("com.example.lead.created.v1"), None);
        assert_eq!(public_name("bhiv.crm.lead.created.v1.extra"), None);
    }
}
