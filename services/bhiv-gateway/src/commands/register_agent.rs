use bhiv_outbox::{Command, Fault, Refusal, Tx};
use serde::{Deserialize, Serialize};

use crate::domain::agent::{AgentId, Registered};
use crate::store::agent::{self, Agent};

/// An agent says that it is there and what it can do.
#[derive(Debug)]
pub struct RegisterAgent(pub Registered);

/// The agent as it is known from now on.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Known {
    /// The agent.
    pub agent: Agent,
    /// Whether nobody knew it before.
    pub is_new: bool,
}

/// Why an agent is not registered.
#[derive(Debug, thiserror::Error)]
pub enum RegisterAgentError {
    #[error("somebody else has registered the agent {0}")]
    Taken(AgentId),
}

impl Refusal for RegisterAgentError {}

impl Command for RegisterAgent {
    type Output = Known;
    type Refusal = RegisterAgentError;

    async fn run(&self, tx: &mut Tx) -> Result<Known, Fault<RegisterAgentError>> {
        let Registered { agent_id, agent_type, capabilities, endpoint } = self.0.clone();
        let capabilities = capabilities.into_iter().map(|capability| capability.0).collect();
        let new = Agent {
            id: tx.id(),
            version: 1,
            agent_id: agent_id.to_string(),
            agent_type,
            capabilities,
            endpoint,
            owner: tx.actor().to_owned(),
            created_at: tx.now(),
            updated_at: tx.now(),
            last_seen_at: tx.now(),
        };
        if agent::insert_once(tx.conn(), &new).await? {
            tx.audit("agent.register", format!("agent/{agent_id}"), None, Some(&new));
            return Ok(Known { agent: new, is_new: true });
        }
        let before = agent::lock(tx.conn(), agent_id.as_str()).await?;
        let before = before.filter(|before| before.owner == new.owner);
        let before = before.ok_or(RegisterAgentError::Taken(agent_id))?;
        let mut after = Agent { last_seen_at: new.last_seen_at, ..before.clone() };
        let said = (&before.agent_type, &before.capabilities, &before.endpoint);
        if said != (&new.agent_type, &new.capabilities, &new.endpoint) {
            after = Agent {
                version: before.version + 1,
                agent_type: new.agent_type,
                capabilities: new.capabilities,
                endpoint: new.endpoint,
                updated_at: tx.now(),
                ..after
            };
            tx.audit("agent.update", format!("agent/{}", after.agent_id), Some(&before), Some(&after));
        }
        agent::update(tx.conn(), &after).await?;
        Ok(Known { agent: after, is_new: false })
    }
}
