use std::convert::Infallible;

use bhiv_outbox::{Command, Fault, Tx};

/// Sessions began or ended: the audit has it.
#[derive(Debug)]
pub struct NoteSession {
    /// What happened: `session.begin`, `session.end`, `session.reuse`.
    pub action: &'static str,
    /// The session, or the user whose sessions they are.
    pub entity: String,
}

impl Command for NoteSession {
    type Output = ();
    type Refusal = Infallible;

    async fn run(&self, tx: &mut Tx) -> Result<(), Fault<Infallible>> {
        tx.audit(self.action, self.entity.clone(), None, None);
        Ok(())
    }
}
