use std::fmt;
use std::str::FromStr;

use bhiv_types::Invalid;
use serde::{Deserialize, Serialize};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

const PATTERN: &str = "^[A-Za-z0-9][A-Za-z0-9._:-]{0,99}$";

/// A word of the path below which agents are: no agent can be called so.
const RESERVED: &str = "register";

/// What an agent calls itself, for example `sales-assistant`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AgentId(String);

impl AgentId {
    /// Its text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for AgentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for AgentId {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._:-".contains(&byte);
        let begins_well = text.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric());
        if !begins_well || text.len() > 100 || !text.bytes().all(is_plain) {
            return Err(Invalid(format!("'{text}' is no id of an agent: it has to match {PATTERN}")));
        }
        if text == RESERVED {
            return Err(Invalid(format!("no agent can be called '{RESERVED}'")));
        }
        Ok(Self(text.to_owned()))
    }
}

impl TryFrom<String> for AgentId {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        text.parse()
    }
}

impl From<AgentId> for String {
    fn from(id: AgentId) -> Self {
        id.0
    }
}

impl ToSchema for AgentId {}

impl PartialSchema for AgentId {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .description(Some("What an agent calls itself, for example `sales-assistant`."))
            .pattern(Some(PATTERN))
            .into()
    }
}

/// What an agent says of itself.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Registered {
    /// What it calls itself.
    pub agent_id: AgentId,
    /// What kind of agent it is, for example `sales`; `general`, unless it says otherwise.
    #[serde(default = "general")]
    #[schema(min_length = 1, max_length = 100)]
    pub agent_type: String,
    /// What it can do, for example `lead_scoring`.
    #[serde(default)]
    #[schema(max_items = 50)]
    pub capabilities: Vec<Capability>,
    /// Where it listens, if it does.
    #[schema(min_length = 8, max_length = 2000, pattern = "^https?://.+$")]
    pub endpoint: Option<String>,
}

fn general() -> String {
    "general".to_owned()
}

/// Something that an agent can do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Capability(pub String);

impl ToSchema for Capability {}

impl PartialSchema for Capability {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .description(Some("Something that an agent can do, for example `lead_scoring`."))
            .min_length(Some(1))
            .max_length(Some(100))
            .into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_agents_id_fits_into_a_path() {
        assert!("sales-assistant.2:eu".parse::<AgentId>().is_ok());
        for text in ["", "-a", "a b", "a/b", "register", "\u{e4}", &"x".repeat(101)] {
            assert!(text.parse::<AgentId>().is_err(), "{text}");
        }
    }
}
