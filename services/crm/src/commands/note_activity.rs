use bhiv_db::DieselError;
use bhiv_outbox::{Command, Fault, Refusal, Tx};

use super::By;
use crate::domain::activity::{NewNote, Subject, SubjectKind};
use crate::domain::owner::Owner;
use crate::store::activity::{self, Activity};
use crate::store::{Owned as _, account, contact, lead, opportunity};

/// Notes that something happened to a record of crm: a part of other commands, and all that some events need.
pub async fn note_activity(
    tx: &mut Tx,
    entity: String,
    kind: &str,
    summary: String,
) -> Result<(), DieselError> {
    let activity = Activity {
        id: tx.id(),
        version: 1,
        entity,
        kind: kind.to_owned(),
        summary,
        body: None,
        author: Owner::default(),
        due_at: None,
        done_at: None,
        created_at: tx.now(),
        updated_at: tx.now(),
    };
    activity::insert(tx.conn(), &activity).await
}

/// Whether there is a record that they see.
pub async fn is_seen(conn: &mut bhiv_db::Conn, subject: &Subject, by: &By) -> Result<bool, DieselError> {
    let (id, reach) = (subject.id, &by.reach);
    Ok(match subject.kind {
        SubjectKind::Lead => lead::find(conn, id.into()).await?.and_then(|it| it.within(reach)).is_some(),
        SubjectKind::Opportunity => {
            opportunity::find(conn, id.into()).await?.and_then(|it| it.within(reach)).is_some()
        }
        SubjectKind::Account => {
            account::find(conn, id.into()).await?.and_then(|it| it.within(reach)).is_some()
        }
        SubjectKind::Contact => {
            contact::find(conn, id.into()).await?.and_then(|it| it.within(reach)).is_some()
        }
    })
}

/// Somebody notes something about a record.
#[derive(Debug)]
pub struct TakeNote {
    /// What.
    pub new: NewNote,
    /// Who.
    pub by: By,
}

/// Why it is not noted.
#[derive(Debug, thiserror::Error)]
pub enum TakeNoteError {
    #[error("there is no {0}")]
    NoSubject(Subject),
}

impl Refusal for TakeNoteError {}

impl Command for TakeNote {
    type Output = Activity;
    type Refusal = TakeNoteError;

    async fn run(&self, tx: &mut Tx) -> Result<Activity, Fault<TakeNoteError>> {
        let new = self.new.clone();
        if !is_seen(tx.conn(), &new.entity, &self.by).await? {
            return Err(TakeNoteError::NoSubject(new.entity).into());
        }
        let activity = Activity {
            id: tx.id(),
            version: 1,
            entity: new.entity.to_string(),
            kind: new.kind.to_string(),
            summary: new.summary,
            body: new.body,
            author: tx.actor().trim_start_matches("user/").to_owned().into(),
            due_at: new.due_at,
            done_at: None,
            created_at: tx.now(),
            updated_at: tx.now(),
        };
        activity::insert(tx.conn(), &activity).await?;
        tx.change("activity.create", format!("activity/{}", activity.id), 1, None, Some(&activity));
        Ok(activity)
    }
}
