use bhiv_outbox::{Command, Fault, Refusal, Tx};

use crate::domain::agent::AgentId;
use crate::store::agent;

/// An agent is forgotten.
#[derive(Debug)]
pub struct RemoveAgent {
    /// Which one.
    pub agent_id: AgentId,
    /// Whether the caller may remove what others registered.
    pub may_any: bool,
}

/// Why an agent stays.
#[derive(Debug, thiserror::Error)]
pub enum RemoveAgentError {
    #[error("there is no agent {0}")]
    NotFound(AgentId),
    #[error("somebody else has registered the agent {0}")]
    NotYours(AgentId),
}

impl Refusal for RemoveAgentError {}

impl Command for RemoveAgent {
    type Output = ();
    type Refusal = RemoveAgentError;

    async fn run(&self, tx: &mut Tx) -> Result<(), Fault<RemoveAgentError>> {
        let agent_id = &self.agent_id;
        let before = agent::lock(tx.conn(), agent_id.as_str()).await?;
        let before = before.ok_or_else(|| RemoveAgentError::NotFound(agent_id.clone()))?;
        if !self.may_any && before.owner != tx.actor() {
            return Err(RemoveAgentError::NotYours(agent_id.clone()).into());
        }
        agent::delete(tx.conn(), before.id).await?;
        tx.audit("agent.remove", format!("agent/{agent_id}"), Some(&before), None);
        Ok(())
    }
}
