use std::convert::Infallible;

use bhiv_auth::Reach;
use bhiv_outbox::{Command, Fault, Tx};
use uuid::Uuid;

use super::By;
use crate::domain::import::{ImportStatus, OnError, RowOutcome};
use crate::store::import::{self, Import, ImportRow};

/// A file begins to come.
#[derive(Debug)]
pub struct BeginImport {
    /// What happens when a row is bad.
    pub on_error: OnError,
    /// Who brings it.
    pub by: By,
}

impl Command for BeginImport {
    type Output = Import;
    type Refusal = Infallible;

    async fn run(&self, tx: &mut Tx) -> Result<Import, Fault<Infallible>> {
        let (owner, team) = self.by.owning(tx, None, None);
        let import = Import {
            id: tx.id(),
            status: ImportStatus::Receiving,
            on_error: self.on_error,
            actor: tx.actor().to_owned(),
            owner,
            team,
            sees_all: self.by.reach == Reach::All,
            rows: 0,
            refused: 0,
            created: 0,
            updated: 0,
            unchanged: 0,
            created_at: tx.now(),
            updated_at: tx.now(),
        };
        import::insert(tx.conn(), &import).await?;
        tx.audit("import.begin", format!("import/{}", import.id), None, Some(&import));
        Ok(import)
    }
}

/// Some rows have come.
#[derive(Debug)]
pub struct TakeRows(pub Vec<ImportRow>);

impl Command for TakeRows {
    type Output = ();
    type Refusal = Infallible;

    async fn run(&self, tx: &mut Tx) -> Result<(), Fault<Infallible>> {
        Ok(import::insert_rows(tx.conn(), &self.0).await?)
    }
}

/// The file has come, or does not come any more.
#[derive(Debug)]
pub struct EndReceiving {
    /// Which import.
    pub id: Uuid,
    /// Whether all of it has come.
    pub is_whole: bool,
}

impl Command for EndReceiving {
    type Output = Option<Import>;
    type Refusal = Infallible;

    async fn run(&self, tx: &mut Tx) -> Result<Option<Import>, Fault<Infallible>> {
        let Some(mut import) = import::lock(tx.conn(), self.id).await? else { return Ok(None) };
        let count = async |conn: &mut bhiv_db::Conn, outcome| {
            import::count_rows(conn, self.id, outcome)
                .await
                .map(|count| i32::try_from(count).unwrap_or(i32::MAX))
        };
        import.rows = count(tx.conn(), None).await?;
        import.refused = count(tx.conn(), Some(RowOutcome::Refused)).await?;
        import.status = match (self.is_whole, import.on_error) {
            (false, _) => ImportStatus::Aborted,
            (true, OnError::Stop) if import.refused > 0 => ImportStatus::Refused,
            (true, _) => ImportStatus::Importing,
        };
        import.updated_at = tx.now();
        import::update(tx.conn(), &import).await?;
        if import.status != ImportStatus::Importing {
            import::forget(tx.conn(), self.id).await?;
            tx.audit("import.end", format!("import/{}", import.id), None, Some(&import));
        }
        Ok(Some(import))
    }
}
