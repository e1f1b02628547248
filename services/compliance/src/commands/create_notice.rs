use bhiv_outbox::{Command, Fault, Refusal, Tx};
use bhiv_types::Purpose;

use crate::domain::digest::sha256;
use crate::domain::notice::NewNotice;
use crate::store::notice::{self, Notice};
use crate::store::purpose;

/// Persons are shown something before they agree.
#[derive(Debug)]
pub struct CreateNotice(pub NewNotice);

/// Why not.
#[derive(Debug, thiserror::Error)]
pub enum CreateNoticeError {
    #[error("there is no purpose {0}")]
    NoPurpose(Purpose),
    #[error("that version is there in that language already, and cannot be changed: give it another version")]
    Exists,
}

impl Refusal for CreateNoticeError {}

impl Command for CreateNotice {
    type Output = Notice;
    type Refusal = CreateNoticeError;

    async fn run(&self, tx: &mut Tx) -> Result<Notice, Fault<CreateNoticeError>> {
        let NewNotice { purpose, version, language, text, valid_from } = self.0.clone();
        if purpose::find(tx.conn(), &purpose).await?.is_none() {
            return Err(CreateNoticeError::NoPurpose(purpose).into());
        }
        let notice = Notice {
            id: tx.id(),
            purpose,
            version,
            language,
            sha256: sha256(text.as_bytes()),
            text,
            valid_from: valid_from.unwrap_or_else(|| tx.now()),
            actor: tx.actor().to_owned(),
            created_at: tx.now(),
        };
        if !notice::insert(tx.conn(), &notice).await? {
            return Err(CreateNoticeError::Exists.into());
        }
        tx.audit("notice.create", format!("notice/{}", notice.id), None, Some(&notice));
        Ok(notice)
    }
}
