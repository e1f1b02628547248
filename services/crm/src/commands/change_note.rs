use bhiv_outbox::{Command, Fault, Refusal, Tx};
use uuid::Uuid;

use super::note_activity::is_seen;
use super::{By, changed_fields};
use crate::domain::activity::NoteChange;
use crate::store::activity::{self, Activity};

/// Changes a note, or says that it is done.
#[derive(Debug)]
pub struct ChangeNote {
    /// Which.
    pub id: Uuid,
    /// What changes.
    pub change: NoteChange,
    /// Who changes it.
    pub by: By,
}

/// Why a note stays as it is.
#[derive(Debug, thiserror::Error)]
pub enum ChangeNoteError {
    #[error("there is no activity {0}")]
    NotFound(Uuid),
    #[error("another module told it: only what people note can be changed")]
    Told,
}

impl Refusal for ChangeNoteError {}

impl Command for ChangeNote {
    type Output = Activity;
    type Refusal = ChangeNoteError;

    async fn run(&self, tx: &mut Tx) -> Result<Activity, Fault<ChangeNoteError>> {
        let before = activity::lock(tx.conn(), self.id).await?;
        let before = before.ok_or(ChangeNoteError::NotFound(self.id))?;
        let seen = match before.entity.parse() {
            Ok(subject) => is_seen(tx.conn(), &subject, &self.by).await?,
            Err(_) => false,
        };
        if !seen {
            return Err(ChangeNoteError::NotFound(self.id).into());
        }
        if before.author.get().is_none() {
            return Err(ChangeNoteError::Told.into());
        }
        let mut after = before.clone();
        let NoteChange { summary, body, due_at, done } = self.change.clone();
        if let Some(summary) = summary {
            after.summary = summary;
        }
        body.apply(&mut after.body);
        due_at.apply(&mut after.due_at);
        match done {
            Some(true) => after.done_at = after.done_at.or_else(|| Some(tx.now())),
            Some(false) => after.done_at = None,
            None => {}
        }
        if changed_fields(&before, &after).is_empty() {
            return Ok(before);
        }
        after.version += 1;
        after.updated_at = tx.now();
        activity::update(tx.conn(), &after).await?;
        let entity = format!("activity/{}", after.id);
        tx.change("activity.update", entity, after.version, Some(&before), Some(&after));
        Ok(after)
    }
}
