use bhiv_auth::Reach;
use bhiv_outbox::{Command, Fault, Refusal, Tx};
use uuid::Uuid;

use super::By;
use super::note_activity::is_seen;
use crate::store::activity;

/// Takes a note back. Its history stays with the audit.
#[derive(Debug)]
pub struct DeleteNote {
    /// Which.
    pub id: Uuid,
    /// Who takes it back.
    pub by: By,
}

/// Why a note stays.
#[derive(Debug, thiserror::Error)]
pub enum DeleteNoteError {
    #[error("there is no activity {0}")]
    NotFound(Uuid),
    #[error("another module told it: only what people note can be taken back")]
    Told,
    #[error("{0} noted it: they take it back, or a manager does")]
    Anothers(String),
}

impl Refusal for DeleteNoteError {}

impl Command for DeleteNote {
    type Output = ();
    type Refusal = DeleteNoteError;

    async fn run(&self, tx: &mut Tx) -> Result<(), Fault<DeleteNoteError>> {
        let before = activity::lock(tx.conn(), self.id).await?;
        let before = before.ok_or(DeleteNoteError::NotFound(self.id))?;
        let seen = match before.entity.parse() {
            Ok(subject) => is_seen(tx.conn(), &subject, &self.by).await?,
            Err(_) => false,
        };
        if !seen {
            return Err(DeleteNoteError::NotFound(self.id).into());
        }
        let author = before.author.get().ok_or(DeleteNoteError::Told)?;
        if let Reach::Own { user, .. } = &self.by.reach
            && user != author
        {
            return Err(DeleteNoteError::Anothers(author.to_owned()).into());
        }
        activity::delete(tx.conn(), self.id).await?;
        let entity = format!("activity/{}", self.id);
        tx.change("activity.delete", entity, before.version + 1, Some(&before), None);
        Ok(())
    }
}
